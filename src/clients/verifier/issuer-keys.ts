import type { Algorithm } from '../verify.d.ts';
import type { Jws } from './compact-jws.ts';
import { fetched, uptime } from './fetched.ts';
import { invalid, TokenError } from './token-error.ts';

/** As Web Cryptography names them (RFC 7518 section 3.1, RFC 8037). */
export const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
  EdDSA: { name: 'Ed25519' },
};

/** Base64url characters of a modulus of 2,048 bits (RFC 7518 section 3.3). */
const LEAST_MODULUS = 342;

/** Milliseconds between requests for an unknown `kid`, so that a flood of invented ones is one request. */
const UNKNOWN_PAUSE = 30_000;
/** Milliseconds between requests after one that failed. */
const FAILURE_PAUSE = 1_000;
/** Seconds in which a cached key set needs no request, whatever `max-age` says. */
const LEAST_AGE = 30;
const USUAL_AGE = 300;
const MOST_AGE = 3_600;
/** Milliseconds after `max-age` for which the keys are used while the issuer is away. */
const STALE = 3_600_000;

interface Jwk extends Record<string, unknown> {
  kid?: unknown;
  alg?: unknown;
  n?: unknown;
}

export interface IssuerKey {
  alg: Algorithm;
  key: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
}

interface Options {
  issuer: string;
  algorithms: Algorithm[];
  /** Whether one call may wait for the request of another. */
  shares: boolean;
  fetch: typeof fetch;
}

/** Undefined for a key that this verifier cannot or may not use. */
export const imported = async (
  jwk: Jwk,
  algorithms: Algorithm[],
): Promise<IssuerKey | undefined> => {
  const { kty, crv, x, y, n, e, use, key_ops } = jwk;
  const alg = algorithms.find((name) => name === jwk.alg);
  if (!alg || (typeof n === 'string' && n.length < LEAST_MODULUS)) return undefined;
  const publicPart = { kty, crv, x, y, n, e, use, key_ops } as object;
  try {
    // Refuses another `use`, `key_ops`, `kty` or `crv` than the algorithm has.
    const key = await crypto.subtle.importKey('jwk', publicPart, ALGORITHMS[alg], false, [
      'verify',
    ]);
    return { alg, key };
  } catch {
    return undefined;
  }
};

export const isSigned = async (
  { alg, key }: IssuerKey,
  { input, signature }: Jws,
): Promise<boolean> => {
  const verifying = crypto.subtle.verify(ALGORITHMS[alg], key, signature, input);
  // Cloudflare's workerd rejects a signature whose length is wrong.
  const [verdict] = await Promise.allSettled([verifying]);
  return (verdict as { value?: boolean }).value === true;
};

/** The public keys of the issuer, cached by the `max-age` of its key set. */
export class IssuerKeys {
  #options: Options;
  #keys = new Map<string, IssuerKey>();
  /** All by `uptime`. */
  #freshUntil = Number.NEGATIVE_INFINITY;
  #usableUntil = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #asking: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Refuses a signature that is not of the issuer's key with this `kid`, or not with the algorithm of that key. */
  async check(jws: Jws): Promise<void> {
    const { kid, alg } = jws.header;
    if (typeof kid !== 'string') throw invalid('kid');
    const found = await this.#find(kid);
    if (!found)
      throw this.#hasFailed ? new TokenError('issuer_away', 'old key set') : invalid('unknown kid');
    // The key says which algorithm, never the token (RFC 8725 section 3.1).
    if (alg !== found.alg) throw invalid('alg');
    if (!(await isSigned(found, jws))) throw invalid('signature');
  }

  async #find(kid: string): Promise<IssuerKey | undefined> {
    const now = uptime();
    const sinceAsked = now - this.#askedAt;
    if (now < this.#freshUntil) {
      if (!this.#keys.has(kid) && sinceAsked >= UNKNOWN_PAUSE) await this.#ask();
    } else if (now < this.#usableUntil && this.#hasFailed) {
      // Nobody waits again for an issuer that was away a moment ago.
      if (sinceAsked >= UNKNOWN_PAUSE) this.#ask().catch(() => {});
    } else if (!this.#hasFailed || sinceAsked >= FAILURE_PAUSE || this.#asking) {
      await this.#ask().catch((error) => {
        if (uptime() >= this.#usableUntil) throw error;
      });
    } else {
      throw new TokenError('issuer_away', 'no key set');
    }
    return this.#keys.get(kid);
  }

  #ask(): Promise<void> {
    // A worker must not wait for the request of another one, which the platform may have ended.
    if (this.#asking && this.#options.shares) return this.#asking;
    this.#askedAt = uptime();
    const asking = this.#load().then(
      () => {
        this.#hasFailed = false;
        this.#asking = undefined;
      },
      (error: unknown) => {
        this.#hasFailed = true;
        this.#asking = undefined;
        throw new TokenError('issuer_away', `key set: ${error}`);
      },
    );
    this.#asking = asking;
    return asking;
  }

  async #load(): Promise<void> {
    const { issuer, algorithms, fetch } = this.#options;
    const askedAt = this.#askedAt;
    const url = `${issuer}/.well-known/jwks.json`;
    const type = 'application/jwk-set+json';
    const { text, headers } = await fetched({ fetch, url, type, timeout: 5_000, limit: 65_536 });
    const keys = new Map<string, IssuerKey>();
    for (const jwk of (JSON.parse(text) as { keys: Jwk[] }).keys) {
      const key = typeof jwk.kid === 'string' ? await imported(jwk, algorithms) : undefined;
      if (key) keys.set(String(jwk.kid), key);
    }
    if (keys.size === 0) throw new Error('no key that can be used');
    const [, age = USUAL_AGE] = /max-age=(\d+)/.exec(headers.get('Cache-Control') ?? '') ?? [];
    this.#keys = keys;
    this.#freshUntil = askedAt + Math.min(MOST_AGE, Math.max(LEAST_AGE, Number(age))) * 1_000;
    this.#usableUntil = this.#freshUntil + STALE;
  }
}
