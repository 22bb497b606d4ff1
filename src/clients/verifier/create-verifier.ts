import type * as declared from '../verify.d.ts';
import { ACCESS_TYPE, accepted } from './access-claims.ts';
import { parsed } from './compact-jws.ts';
import { DpopProofs } from './dpop-proofs.ts';
import { after } from './fetched.ts';
import { ALGORITHMS, IssuerKeys } from './issuer-keys.ts';
import { RevocationFeed } from './revocation-feed.ts';
import { invalid, TokenError } from './token-error.ts';

/** Characters. Longer tokens are refused unread. */
const MOST = 4_096;

/** Seconds. */
const LEAST_BOUND = 10;

const AUTHORIZATION = /^(bearer|dpop)(?: +(\S+) *)?$/i;

const assertUsable = (
  { issuer, algorithms = [] }: declared.Options,
  revocations: declared.Revocations | false,
) => {
  new URL(issuer);
  if (issuer.endsWith('/')) throw new TypeError('issuer ends with a slash');
  for (const name of algorithms)
    if (!Object.hasOwn(ALGORITHMS, name)) throw new TypeError(`algorithms: ${name}`);
  if (!revocations) return;
  if (!(revocations.bound >= LEAST_BOUND)) throw new TypeError(`bound below ${LEAST_BOUND}`);
  if (!/^(?:open|closed)$/.test(revocations.whenAway)) throw new TypeError('whenAway');
};

const isWorker = (): boolean =>
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent ===
  'Cloudflare-Workers';

type Field = string | string[] | undefined;

/** A request in Node may have a header of the name `get`. */
interface Fields {
  get?: Field | ((name: string) => string | null);
  authorization?: Field;
  dpop?: Field;
}

const headerOf = (headers: Fields, name: 'authorization' | 'dpop'): string =>
  `${(typeof headers.get === 'function' ? headers.get(name) : headers[name]) ?? ''}`;

export const createVerifier = (options: declared.Options): declared.Verifier => {
  const shares = !isWorker();
  const { issuer, audience = issuer, background = shares } = options;
  const { revocations = { bound: 60, whenAway: 'open' } } = options;
  assertUsable(options, revocations);
  const algorithms = options.algorithms ?? (Object.keys(ALGORITHMS) as declared.Algorithm[]);
  const call: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const keys = new IssuerKeys({ issuer, algorithms, shares, fetch: call });
  const feed = revocations
    ? new RevocationFeed({ ...revocations, issuer, background, shares, keys, fetch: call })
    : undefined;

  const proofs = new DpopProofs();

  const verify = async (token: string, proven?: declared.Proven): Promise<declared.Claims> => {
    if (typeof token !== 'string' || token.length > MOST) throw invalid('length');
    const jws = parsed(token, ACCESS_TYPE);
    await keys.check(jws);
    const claims = accepted(jws.claims, { issuer, audience });
    const { cnf } = claims;
    if (!cnf !== !proven) throw invalid('cnf');
    if (proven) await proofs.check(proven, token, (cnf as { jkt?: unknown }).jkt);
    if (!feed) return claims;
    await feed.current();
    if (feed.revoked.includes(claims)) throw new TokenError('token_revoked');
    if (feed.isRefusing) throw new TokenError('issuer_away', feed.reason);
    return claims;
  };
  /** `at`: where a proof counts. Without it, the token must be a bearer token. */
  const read = async (headers: declared.HeadersLike, at?: { method: string; url: string }) => {
    const [, scheme = '', token = ''] =
      AUTHORIZATION.exec(headerOf(headers, 'authorization')) ?? [];
    const proven =
      at && /d/i.test(scheme) ? { ...at, proof: headerOf(headers, 'dpop') } : undefined;
    if (!proven && !/b/i.test(scheme)) throw new TokenError('token_missing');
    return verify(token, proven);
  };

  return {
    verify,
    bearer: async (from) => read('headers' in from ? from.headers : from),
    request: async ({ method, url, headers }) => read(headers, { method, url }),
    onEnd: (claims, listener) => {
      let isOver = false;
      const remove = () => {
        isOver = true;
        clearTimeout(timer);
        unwatch?.();
      };
      const end = (code: 'token_expired' | 'token_revoked') => {
        if (isOver) return;
        remove();
        listener(code);
      };
      const timer = after(Math.max(0, claims.exp * 1_000 - Date.now()), () => end('token_expired'));
      const unwatch = feed?.revoked.watch(claims, () => end('token_revoked'));
      return remove;
    },
    close: () => feed?.close(),
  };
};
