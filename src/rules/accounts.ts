import type { User } from '../schemas/user.ts';
import { withTokensRevoked } from './sessions.ts';

/** The form in which an address is looked up: one account for each. */
export const emailKey = (email: string): string => email.trim().normalize('NFKC').toLowerCase();

/** A row in which nothing is known yet. */
export const emptyUser = (id: string, kind: User['kind'], now: number): User => ({
  id,
  kind,
  email: null,
  email_key: null,
  email_verified_at: null,
  name: null,
  password_hash: null,
  secret_hashes: null,
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
});

interface NewPerson {
  id: string;
  email: string;
  name: string | null;
  /** null: invited, and yet to choose one. */
  passwordHash: string | null;
}

export const newPerson = ({ id, email, name, passwordHash }: NewPerson, now: number): User => ({
  ...emptyUser(id, 'person', now),
  email,
  email_key: emailKey(email),
  name,
  password_hash: passwordHash,
});

/** Nothing of the person is left; the id and the versions stay until every token has expired. */
export function withoutPersonalData(user: User, now: number): User {
  const { id, kind, created_at, row_version, ...revoked } = withTokensRevoked(user, now);
  const { token_version, access_version, revoked_at, updated_at } = revoked;
  const versions = { token_version, access_version, revoked_at, updated_at, row_version };
  return { ...emptyUser(id, kind, created_at), status: 'deleted', ...versions };
}
