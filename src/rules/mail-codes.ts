import type { User } from '../schemas/user.ts';
import { withTry } from './tries.ts';
import { isUnclaimed } from './unclaimed.ts';

const TRIES = 5;
/** Tried codes that a row keeps. */
const MAX_TRIED = 20;

/**
 * What a code by mail is made from, besides the half that the browser holds. Every sign-in changes it, and so does what revokes
 * every token or moves the account to another address. `last_login_at` is for nodes of a version that does not count.
 * What a stranger may have made they may also sign in to and out of: that takes no code away from the owner of the address.
 */
export const codeState = (user: User) => {
  const { id, email_key, token_version, last_login_at, mail_codes } = user;
  const entered = isUnclaimed(user) ? [] : [token_version, last_login_at];
  return JSON.stringify([id, email_key, ...entered, mail_codes.counter]);
};

/** Every code that was sent is wrong from now on. */
export const withCodesSpent = (user: User): User => ({
  ...user,
  mail_codes: { ...user.mail_codes, counter: user.mail_codes.counter + 1 },
});

/** The user with one more try of this code, or undefined if it has had its five. `until`: when it expires (ms). */
export function withCodeTried(
  user: User,
  { id, until, now }: { id: string; until: number; now: number },
): User | undefined {
  const code = { id, until, now, tries: TRIES, most: MAX_TRIED };
  const tried = withTry(user.mail_codes.tried, code);
  return tried && { ...user, mail_codes: { ...user.mail_codes, tried } };
}
