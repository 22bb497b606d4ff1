import type { Context } from '../../context.ts';
import { randomId } from '../../parts/ids.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import type { User } from '../../schemas/user.ts';

/** Seconds. */
const DAY = 86_400;
const RESET_LIFE = 600;

const life = ({ clock }: Context, seconds: number) => {
  const iat = Math.floor(clock() / 1_000);
  return { iat, exp: iat + seconds, jti: randomId() };
};

/** What a challenge is bound to: it dies as soon as the password has changed, by whatever way. */
export const passwordState = (user: User): string => fingerprint(String(user.password_hash));

/**
 * What a reset token is bound to: it dies with the password that it replaces, with the address that it went to, and
 * with the next letter of its kind. A stranger can cause that letter too; it lies in the same mailbox.
 */
export const resetState = ({ password_hash, email_key, reset_letters }: User): string =>
  fingerprint(JSON.stringify([password_hash, email_key, reset_letters]));

/**
 * What an invitation is bound to: it dies with the first password, and with the address. A reset letter, which
 * lives for minutes and which any stranger can ask for, does not take the place of a link that lives for a day.
 */
const invitationState = ({ email_key }: User): string =>
  fingerprint(JSON.stringify([null, email_key]));

/** Whether a reset token, or an invitation, still holds for this row. */
export const mayReset = (user: User, was: string): boolean =>
  user.status === 'active' &&
  (resetState(user) === was || (user.password_hash === null && invitationState(user) === was));

/**
 * What an email token is bound to: it dies as soon as the address has changed or was confirmed, and when every
 * token dies: an owner who shuts a stranger out also shuts out the address that the stranger asked for.
 */
export const emailState = (user: User): string =>
  fingerprint(JSON.stringify([user.email_key, user.email_verified_at, user.token_version]));

export const signUpToken = (context: Context, email: string): string =>
  context.ownTokens.issue('sign-up', { sub: email, ...life(context, DAY) });

export const resetToken = (context: Context, user: User): string =>
  context.ownTokens.issue('reset', {
    sub: user.id,
    was: resetState(user),
    ...life(context, RESET_LIFE),
  });

/** Chooses the first password of an invited user. */
export const invitationToken = (context: Context, user: User): string =>
  context.ownTokens.issue('reset', {
    sub: user.id,
    was: invitationState(user),
    ...life(context, DAY),
  });

/** `sid`: the session that asked, if any; the others end when the address changes. */
export const emailToken = (context: Context, user: User, email: string, sid = ''): string =>
  context.ownTokens.issue('email', {
    sub: user.id,
    email,
    sid,
    was: emailState(user),
    ...life(context, DAY),
  });
