import type { z } from 'zod';
import type { ServiceAccountView, UserView } from '../schemas/administration.ts';
import type { PasskeyView } from '../schemas/passkey.ts';
import type { Profile } from '../schemas/profile.ts';
import type { SessionView } from '../schemas/session.ts';
import type { Passkey, Session, User } from '../schemas/user.ts';
import { FACTORS } from './factors/factors.ts';
import { recoveryCodesLeft } from './factors/recovery-code.ts';
import { passkeyId } from './passkeys.ts';
import { hasSecondFactor } from './second-factor.ts';
import { isLive } from './sessions.ts';

/** RFC 3339, UTC. */
const time = (instant: number): string => new Date(instant).toISOString();
const timeOrNull = (instant: number | null): string | null =>
  instant === null ? null : time(instant);

const accountOf = (user: User) => ({
  id: user.id,
  email: user.email ?? '',
  email_verified: user.email_verified_at !== null,
  name: user.name,
  roles: user.roles,
  mfa: hasSecondFactor(user),
  created_at: time(user.created_at),
  last_login_at: timeOrNull(user.last_login_at),
});

export const profileOf = (user: User): Profile => ({
  ...accountOf(user),
  password: FACTORS.password.count(user) > 0,
  recovery_codes: recoveryCodesLeft(user),
});

/** What an operator sees of a user. */
export const accountView = (user: User, now: number) => ({
  ...accountOf(user),
  status: user.status === 'disabled' ? ('disabled' as const) : ('active' as const),
  sessions: user.sessions.filter((session) => isLive(session, now)).length,
  updated_at: time(user.updated_at),
  claims: user.claims,
});

/** What an administrator sees of a user. `providers`: the names of the linked ones. */
export const userView = (
  user: User,
  { now, providers }: { now: number; providers: string[] },
): UserView => ({
  ...accountView(user, now),
  password: FACTORS.password.count(user) > 0,
  passkeys: FACTORS.passkey.count(user),
  providers,
});

export const sessionView = (session: Session, current: string): z.infer<typeof SessionView> => ({
  id: session.id,
  client: session.client,
  transport: session.transport,
  amr: session.amr,
  created_at: time(session.created_at),
  refreshed_at: time(session.rotated_at),
  expires_at: time(session.expires_at),
  current: session.id === current,
});

export const serviceAccountView = (account: User): z.infer<typeof ServiceAccountView> => ({
  client_id: account.id,
  name: account.name ?? '',
  roles: account.roles,
  claims: account.claims,
  created_at: time(account.created_at),
});

export const passkeyView = (passkey: Passkey): z.infer<typeof PasskeyView> => ({
  id: passkeyId(passkey),
  name: passkey.name,
  backed_up: passkey.backed_up,
  transports: passkey.transports,
  created_at: time(passkey.created_at),
  last_used_at: timeOrNull(passkey.last_used_at ?? null),
});
