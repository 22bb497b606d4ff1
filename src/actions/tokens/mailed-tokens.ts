import type { Context } from '../../context.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import type { User } from '../../schemas/user.ts';
import { lifeOf } from './life.ts';

/** Seconds. */
const DAY = 86_400;
const RESET_LIFE = 600;
/** People read their mail late, and the link does nothing once the address is confirmed. */
const NOT_ME_LIFE = 30 * DAY;

/** What a challenge is bound to: a change of the password makes it invalid. */
export const passwordState = (user: User): string => fingerprint(String(user.password_hash));

/**
 * What a reset token is bound to: a new password, a new address or the next reset letter makes it invalid. Anyone can
 * cause that letter, but it goes to the same mailbox.
 */
export const resetState = ({ password_hash, email_key, reset_letters }: User): string =>
  fingerprint(JSON.stringify([password_hash, email_key, reset_letters]));

/**
 * What an invitation is bound to: the first password or a new address makes it invalid. A reset letter does not:
 * anyone can cause one, and its link lives for minutes only.
 */
const invitationState = ({ email_key }: User): string =>
  fingerprint(JSON.stringify([null, email_key]));

/** Whether a reset token or an invitation is still valid for this row. */
export const mayReset = (user: User, was: string): boolean =>
  user.status === 'active' &&
  (resetState(user) === was || (user.password_hash === null && invitationState(user) === was));

/**
 * What an email token is bound to: a changed or confirmed address makes it invalid, and so does a new token version.
 * So an owner who revokes a stranger's access also revokes the new address that the stranger asked for.
 */
export const emailState = (user: User): string =>
  fingerprint(JSON.stringify([user.email_key, user.email_verified_at, user.token_version]));

export const signUpToken = (context: Context, email: string): string =>
  context.ownTokens.issue('sign-up', { sub: email, ...lifeOf(context, DAY) });

export const resetToken = (context: Context, user: User): string =>
  context.ownTokens.issue('reset', {
    sub: user.id,
    was: resetState(user),
    ...lifeOf(context, RESET_LIFE),
  });

/** With it an invited user chooses the first password. */
export const invitationToken = (context: Context, user: User): string =>
  context.ownTokens.issue('reset', {
    sub: user.id,
    was: invitationState(user),
    ...lifeOf(context, DAY),
  });

/** `sid`: the session that asked. The others end when the address changes. */
export const emailToken = (
  context: Context,
  user: User,
  { email, sid = '' }: { email: string; sid?: string },
): string =>
  context.ownTokens.issue('email', {
    sub: user.id,
    email,
    sid,
    was: emailState(user),
    ...lifeOf(context, DAY),
  });

/** With it the holder of the mailbox deletes an account that they did not make. */
export const notMeToken = (context: Context, user: User): string =>
  context.ownTokens.issue('not-me', {
    sub: user.id,
    email: String(user.email_key),
    ...lifeOf(context, NOT_ME_LIFE),
  });
