import { randomBytes } from 'node:crypto';
import type { User } from '../schemas/user.ts';
import { withTokensRevoked } from './sessions.ts';

/** The form in which an address is looked up: one account for each. */
export const emailKey = (email: string): string => email.trim().normalize('NFKC').toLowerCase();

/** UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 random bits. */
export function newId(now: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

interface NewPerson {
  email: string;
  name: string | null;
  /** null: invited, and yet to choose one. */
  passwordHash: string | null;
}

export function newPerson({ email, name, passwordHash }: NewPerson, now: number): User {
  return {
    id: newId(now),
    kind: 'person',
    email,
    email_key: emailKey(email),
    email_verified_at: null,
    name,
    password_hash: passwordHash,
    roles: [],
    status: 'active',
    token_version: 0,
    access_version: 0,
    reset_letters: 0,
    sessions: [],
    throttle: [],
    mfa: { challenges: [] },
    revoked_at: null,
    row_version: 0,
    created_at: now,
    updated_at: now,
    last_login_at: null,
  };
}

/** Nothing of the person is left; the id and the token version stay until every token has expired. */
export const emptied = (user: User, now: number): User => ({
  ...withTokensRevoked(user, now),
  email: null,
  email_key: null,
  email_verified_at: null,
  name: null,
  password_hash: null,
  roles: [],
  status: 'deleted',
  reset_letters: 0,
  sessions: [],
  throttle: [],
  mfa: { challenges: [] },
  last_login_at: null,
});
