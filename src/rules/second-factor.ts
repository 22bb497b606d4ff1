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

/** For a reset: nothing stays, not even what a newer version keeps in `mfa`. */
export const withoutSecondFactor = (user: User): User => ({
  ...ASKING.reduce((next, { without }) => without(next), user),
  mfa: { challenges: [] },
});
