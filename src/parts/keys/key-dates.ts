import type { KeySet, Lifetime } from './key-set.ts';

/** How long a verifier may use a key set that it has fetched: the `max-age` of its answer (seconds, RFC 9111). */
export const KEY_SET_MAX_AGE = 300;

/**
 * From when a new key is in the file until it signs (seconds): the longest that a verifier keeps an older key set, and as
 * long again in which the file reaches every node.
 */
export const PUBLISHED_FOR = 2 * KEY_SET_MAX_AGE;

/** How much longer than its tokens a key verifies (seconds): clocks differ, and verifiers tolerate that. */
const LEEWAY = 60;

/** How far a key that must sign or end at once is dated back (seconds), so that a node whose clock is slow obeys, too. */
export const DATED_BACK = 60;

/** What a key is used for: the two parts of a key set. */
export type KeyUse = keyof KeySet;

/** How long tokens signed by a key of this use are valid (seconds). */
export type TokenLives = Record<KeyUse, number>;

/** When a later key takes over (ms). Infinity: there is none. */
export const replacedAt = (key: Lifetime, keys: Lifetime[]): number =>
  Math.min(
    ...keys.flatMap(({ notBefore }) => (notBefore > key.notBefore ? [notBefore] : [])),
    Infinity,
  );

/** Until when a key must verify, so that no valid token is refused (ms). `life`: of its tokens (seconds). */
export const neededUntil = (key: Lifetime, keys: Lifetime[], life: number): number =>
  replacedAt(key, keys) + (life + LEEWAY) * 1_000;

/** When the last token of the key has expired, or its `exp` ends it (ms). */
export const endOf = (key: Lifetime, keys: Lifetime[], life: number): number =>
  Math.min(key.notAfter, neededUntil(key, keys, life));

/** The key that is published and does not sign yet. */
export const waitingKey = <Key extends Lifetime>(keys: Key[], now: number): Key | undefined =>
  keys.find(({ notBefore, notAfter }) => now < notBefore && notBefore < notAfter);
