import type { User } from '../schemas/user.ts';
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

/**
 * The user with one more try of this code, or undefined if it has had its five. When codes are too many, those with the fewest
 * tries go: a flood of others does not bring back the tries of one that has none left. `until`: when it expires (ms).
 */
export function withCodeTried(
  user: User,
  { id, until, now }: { id: string; until: number; now: number },
): User | undefined {
  const known = user.mail_codes.tried.filter((code) => now < code.until);
  const tries = known.find((code) => code.id === id)?.tries ?? 0;
  if (tries >= TRIES) return undefined;
  const others = known.filter((code) => code.id !== id);
  const tried = [{ id, tries: tries + 1, until }, ...others]
    .sort((a, b) => b.tries - a.tries)
    .slice(0, MAX_TRIED);
  return { ...user, mail_codes: { ...user.mail_codes, tried } };
}
