import type { Claims } from '../verify.d.ts';
import { invalid, TokenError } from './token-error.ts';

export const ACCESS_TYPE = /^(?:application\/)?at\+jwt$/i;

/** Seconds that the clock of the issuer may be ahead. */
export const SKEW = 5;

/** Seconds from `iat` to `exp`. */
const ACCESS_LIFE = 900;

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** RFC 9068 section 2.2, with what Latchkey adds. */
const FORMS: [is: (value: unknown) => boolean, names: string[]][] = [
  [isText, ['iss', 'sub', 'client_id', 'jti', 'sid']],
  [isWhole, ['iat', 'exp', 'ver', 'auth_time']],
  [isTexts, ['roles', 'amr']],
];

/** Seconds. */
export const wallTime = (): number => Date.now() / 1_000;

/** The claims, if they are those of a token for this audience that is valid now. Refuses with the reason. */
export const accepted = (
  claims: Record<string, unknown>,
  { issuer, audience }: { issuer: string; audience: string },
): Claims => {
  for (const [is, names] of FORMS)
    for (const name of names) if (!is(claims[name])) throw invalid(name);
  const { iss, aud, iat, nbf = 0, exp } = claims as Claims;
  if (iss !== issuer) throw invalid('iss');
  if (aud !== audience && !(isTexts(aud) && aud.includes(audience))) throw invalid('aud');
  const now = wallTime();
  if (!isWhole(nbf) || Math.max(iat, nbf) > now + SKEW) throw invalid('not valid yet');
  if (exp - iat > ACCESS_LIFE) throw invalid('lives too long');
  if (now >= exp) throw new TokenError('token_expired');
  return claims as Claims;
};
