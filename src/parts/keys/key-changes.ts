import { type PrivateJwk, PrivateJwkSet, type SigningAlgorithm } from '../../schemas/jwk.ts';
import {
  DATED_BACK,
  endOf,
  type KeyUse,
  neededUntil,
  PUBLISHED_FOR,
  replacedAt,
  type TokenLives,
  waitingKey,
} from './key-dates.ts';
import { type Key, type KeySet, keyInUse, keyState, readKeySet, thumbprint } from './key-set.ts';
import { newMasterSecret, newSigningKey } from './new-keys.ts';

/** The keys of a file, and the same keys as the service reads them. */
export interface Keys {
  jwks: PrivateJwk[];
  set: KeySet;
}

/** Refuses a bad key set with KeySetError. */
export function keysOf(jwks: PrivateJwk[]): Keys {
  return { jwks, set: readKeySet(JSON.stringify({ keys: jwks })) };
}

/** Refuses a bad key set with KeySetError. */
export function parseKeys(text: string): Keys {
  const set = readKeySet(text);
  const { keys } = PrivateJwkSet.parse(JSON.parse(text));
  return { jwks: keys.map((jwk) => ({ ...jwk, kid: thumbprint(jwk) })), set };
}

/** Seconds since 1970. */
const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000);

const dated = ({ jwks }: Keys, ends: Map<string, number>): Keys =>
  keysOf(
    jwks.map((jwk) => {
      const end = ends.get(`${jwk.kid}`);
      if (end === undefined) return jwk;
      const { exp: _, ...undated } = jwk;
      return end === Infinity ? undated : { ...undated, exp: seconds(end) };
    }),
  );

export const withoutKeys = ({ jwks }: Keys, kids: string[]): Keys =>
  keysOf(jwks.filter(({ kid }) => !kids.includes(`${kid}`)));

/** With a new key that signs from `nbf` on. `iat`: when it was made (seconds), as in OpenID Federation. */
function withKey(
  { jwks }: Keys,
  { use, alg, nbf, now }: { use: KeyUse; alg: SigningAlgorithm; nbf: number; now: number },
): Keys {
  const key = use === 'signing' ? newSigningKey(alg, nbf) : newMasterSecret(nbf);
  return keysOf([...jwks, { ...key, iat: seconds(now) }]);
}

interface Next {
  use: KeyUse;
  alg: SigningAlgorithm;
  /** Milliseconds. */
  now: number;
}

/** With the next key, which waits until every verifier has it. If no key is in use, it signs at once. */
export function withNextKey(keys: Keys, { use, alg, now }: Next): Keys {
  const isInUse = keyInUse<Key>(keys.set[use], now) !== undefined;
  const nbf = seconds(now) + (isInUse ? PUBLISHED_FOR : -DATED_BACK);
  return withKey(keys, { use, alg, nbf, now });
}

/**
 * With an end for every key that another replaces: once its last token has expired. An end that is later stays. The same
 * object if every key has one.
 */
export function withEnds(keys: Keys, lives: TokenLives, now: number): Keys {
  const ends = new Map<string, number>();
  for (const use of ['signing', 'masters'] as const) {
    const all: Key[] = keys.set[use];
    for (const key of all) {
      const needed = neededUntil(key, all, lives[use]);
      const isShort = key.notAfter === Infinity || key.notAfter < needed;
      if (needed < Infinity && isShort && keyState(key, all, now) !== 'gone')
        ends.set(key.kid, needed);
    }
  }
  return ends.size === 0 ? keys : dated(keys, ends);
}

/** The keys whose last token has expired. */
export const pastKeys = (set: KeySet, lives: TokenLives, now: number): Record<KeyUse, string[]> => {
  const past = (use: KeyUse) =>
    set[use].filter((key) => endOf(key, set[use], lives[use]) <= now).map(({ kid }) => kid);
  return { signing: past('signing'), masters: past('masters') };
};

/**
 * Without the trust in a key that has leaked. If it was in use, the waiting key or else a new one takes its place at
 * once. A master secret stays in the file, dated so that it has ended for every clock: it still decrypts TOTP secrets.
 */
export function withKeyDropped(
  keys: Keys,
  { kid, use, now }: { kid: string; use: KeyUse; now: number },
): Keys {
  const all: Key[] = keys.set[use];
  const key = all.find((each) => each.kid === kid) as Key;
  const isInUse = keyInUse(all, now) === key;
  const isWaiting = now < key.notBefore;
  const rest =
    use === 'signing' || isWaiting
      ? withoutKeys(keys, [kid])
      : dated(keys, new Map([[kid, now - DATED_BACK * 1_000]]));
  if (!isInUse) return isWaiting ? withoutLastEnd(rest, use, now) : rest;
  const nbf = Math.max(seconds(now) - DATED_BACK, seconds(key.notBefore));
  const next = waitingKey<Key>(rest.set[use], now);
  if (next === undefined) {
    const alg = 'alg' in key ? key.alg : 'ES256';
    return withKey(rest, { use, alg, nbf, now });
  }
  return keysOf(rest.jwks.map((jwk) => (jwk.kid === next.kid ? { ...jwk, nbf } : jwk)));
}

/** Nothing replaces the key in use any more, so it does not end. */
function withoutLastEnd(keys: Keys, use: KeyUse, now: number): Keys {
  const all: Key[] = keys.set[use];
  const key = keyInUse(all, now);
  return key && replacedAt(key, all) === Infinity
    ? dated(keys, new Map([[key.kid, Infinity]]))
    : keys;
}
