import type { Session, User } from '../schemas/user.ts';

/** Whether a sign-in needs a second step, unless it is with a passkey. */
export const hasSecondFactor = (user: User): boolean => user.mfa.totp !== undefined;

/**
 * Whether a session has proven as much as a second factor asks for. `mfa`: two factors; `user`: a passkey, whose
 * authenticator has checked its user (RFC 8176).
 */
export const provesSecondFactor = ({ amr }: Pick<Session, 'amr'>): boolean =>
  amr.includes('mfa') || amr.includes('user');

/** Without the authenticator app and its recovery codes. Members that this version does not know stay. */
export function withoutTotp(user: User): User {
  const { totp: _totp, recovery: _recovery, ...mfa } = user.mfa;
  return { ...user, mfa: { ...mfa, challenges: [] } };
}

/** For a reset: nothing stays, not even what a newer version keeps here. */
export const withoutSecondFactor = (user: User): User => ({ ...user, mfa: { challenges: [] } });
