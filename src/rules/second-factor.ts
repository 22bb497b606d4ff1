import type { Session, User } from '../schemas/user.ts';
import { EVERY_FACTOR } from './factors/factors.ts';

/** In `amr` (RFC 8176): a second factor was proven too. */
export const MFA = 'mfa';

const ASKING = EVERY_FACTOR.filter(({ secondStep }) => secondStep === 'asks');

/** Whether a sign-in needs a second step, unless it is with a passkey. */
export const hasSecondFactor = (user: User): boolean => ASKING.some(({ count }) => count(user) > 0);

/**
 * Whether a session has proven as much as a second factor asks for. `user`: a passkey, whose authenticator has checked its
 * user (RFC 8176).
 */
export const provesSecondFactor = ({ amr }: Pick<Session, 'amr'>): boolean =>
  amr.includes(MFA) || amr.includes('user');

/** With all challenges void: their first step may have used what the account has just lost. `now`: milliseconds. */
export const withChallengesVoid = (user: User, now: number): User =>
  hasSecondFactor(user) ? { ...user, mfa: { ...user.mfa, challenges_since: now } } : user;

/** `iat`: of the challenge, in whole seconds. One of the same second as a change is void too. */
export const isChallengeVoid = ({ mfa: { challenges_since = 0 } }: User, iat: number): boolean =>
  iat * 1_000 <= challenges_since;

/** For a reset: nothing stays, not even what a newer version keeps in `mfa`. */
export const withoutSecondFactor = (user: User): User => ({
  ...ASKING.reduce((next, { without }) => without(next), user),
  mfa: { challenges: [] },
});
