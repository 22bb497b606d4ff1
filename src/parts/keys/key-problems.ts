import type { PrivateJwk } from '../../schemas/jwk.ts';
import type { Keys } from './key-changes.ts';
import { KEY_SET_MAX_AGE, type KeyUse, replacedAt, type TokenLives } from './key-dates.ts';
import { keyInUse, keyState, type Lifetime } from './key-set.ts';

const NAMES: Record<KeyUse, string> = { signing: 'signing key', masters: 'master secret' };

/** `2026-11-26T06:53:14Z` */
const instant = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d+/, '');

/** From when on no key is in use (ms), or undefined. */
function gapOf(all: Lifetime[], now: number): number | undefined {
  const changes = all.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]);
  return [
    now,
    ...changes.filter((time) => time > now && time < Infinity).sort((a, b) => a - b),
  ].find((time) => keyInUse(all, time) === undefined);
}

/** Whether it signs before every verifier has it, and that still matters at `now`. `published`: milliseconds. */
function isEarly(
  key: Lifetime,
  all: Lifetime[],
  { published, now }: { published: number; now: number },
) {
  const known = published + KEY_SET_MAX_AGE * 1_000;
  const isFirst = keyInUse(all, Math.min(key.notBefore, published) - 1) === undefined;
  return !isFirst && key.notBefore < known && now < known;
}

/** When it was added to the file (ms); -Infinity if nobody knows, as it may have been there before the file was last written. */
function publishedAt(key: Lifetime, jwks: PrivateJwk[], written: number): number {
  const iat = jwks.find(({ kid }) => kid === key.kid)?.['iat'];
  if (typeof iat === 'number') return iat * 1_000;
  return key.notBefore < written ? -Infinity : written;
}

interface When {
  now: number;
  /** When the file was last written (ms): a key that does not say when it was made has been in it since then at the latest. */
  written: number;
}

/** What is wrong with the dates of a key set that the service would take: one sentence each. */
export function problemsOf(
  { jwks, set }: Keys,
  lives: TokenLives,
  { now, written }: When,
): string[] {
  return (['signing', 'masters'] as const).flatMap((use) => {
    const all: Lifetime[] = set[use];
    const found: string[] = [];
    const gap = gapOf(all, now);
    if (gap !== undefined) found.push(`no ${NAMES[use]} is in use from ${instant(gap)} on`);
    for (const key of all) {
      if (keyState(key, all, now) === 'gone') continue;
      const lastExpires = replacedAt(key, all) + lives[use] * 1_000;
      if (key.notAfter <= key.notBefore) found.push(`${key.kid} ends before it starts`);
      else if (lastExpires < Infinity && key.notAfter < lastExpires)
        found.push(
          `${key.kid} ends at ${instant(key.notAfter)}, but its last token expires at ${instant(lastExpires)}`,
        );
      const published = publishedAt(key, jwks, written);
      if (isEarly(key, all, { published, now }))
        found.push(
          `${key.kid} signs from ${instant(key.notBefore)} on, less than ${KEY_SET_MAX_AGE} seconds after it was added: verifiers may not have it`,
        );
    }
    return found;
  });
}
