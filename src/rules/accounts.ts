import { NO_IDENTITIES } from '../schemas/slots.ts';
import type { User } from '../schemas/user.ts';
import { withTokensRevoked } from './sessions.ts';

/** The form in which an address is looked up. Each has at most one account. */
export const emailKey = (email: string): string => email.trim().normalize('NFKC').toLowerCase();

/** Every column of a row, with nothing known yet. `now`: milliseconds. */
export const emptyUser = (id: string, kind: User['kind'], now: number): User => ({
  id,
  kind,
  email: null,
  email_key: null,
  email_verified_at: null,
  claimed_at: null,
  devices_since: null,
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
  passkeys: [],
  mail_codes: { counter: 0, tried: [] },
  ...NO_IDENTITIES,
  used_nonces: [],
  revoked_at: null,
  row_version: 0,
  created_at: now,
  updated_at: now,
  last_login_at: null,
  claims: {},
});

interface NewPerson {
  id: string;
  email: string;
  name: string | null;
  /** null: invited, no password chosen yet. */
  passwordHash: string | null;
}

export const newPerson = ({ id, email, name, passwordHash }: NewPerson, now: number): User => ({
  ...emptyUser(id, 'person', now),
  email,
  email_key: emailKey(email),
  name,
  password_hash: passwordHash,
});

/** The row of a deleted user. The ID and the versions stay, so that tokens are refused until the last has expired. */
export function withoutPersonalData(user: User, now: number): User {
  const { id, kind, created_at, row_version, ...revoked } = withTokensRevoked(user, now);
  const { token_version, access_version, revoked_at, updated_at } = revoked;
  const versions = { token_version, access_version, revoked_at, updated_at, row_version };
  return { ...emptyUser(id, kind, created_at), status: 'deleted', ...versions };
}
