import { base64url } from './base64url.ts';
import type * as declared from './client-dpop.d.ts';

type KeyPair = Awaited<ReturnType<typeof makeKeys>>;

interface Asked<T> {
  result: T;
  error: unknown;
  onsuccess: () => void;
  onerror: () => void;
}
interface Store {
  get(key: string): Asked<KeyPair | undefined>;
  put(value: KeyPair, key: string): Asked<unknown>;
}
interface Database {
  createObjectStore(name: string): void;
  transaction(name: string, mode: 'readwrite'): { objectStore(name: string): Store };
  close(): void;
}

/** What a browser has. */
interface Browser {
  indexedDB: { open(name: string): Asked<Database> & { onupgradeneeded: () => void } };
  location?: { href: string };
}

const browser = globalThis as unknown as Browser;

const STORE = 'keys';
const encoder = new TextEncoder();

const segment = (json: object): string => base64url(encoder.encode(JSON.stringify(json)));

const done = <T>(asked: Asked<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

const makeKeys = () =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);

/** The keys of this browser. Two tabs that make them at once keep those of the first. */
const storedKeys = async (name: string): Promise<KeyPair> => {
  const opening = browser.indexedDB.open(`${name}.dpop`);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  const store = () => database.transaction(STORE, 'readwrite').objectStore(STORE);
  try {
    const kept = await done(store().get('keys'));
    if (kept) return kept;
    const made = await makeKeys();
    const place = store();
    const first = await done(place.get('keys'));
    if (!first) await done(place.put(made, 'keys'));
    return first ?? made;
  } finally {
    database.close();
  }
};

/** Whether an access token is bound to a key. Another token is none that can be read. */
const isBound = (token: string): boolean => {
  try {
    const claims = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    return claims.includes('"cnf"');
  } catch {
    return false;
  }
};

export const dpopFetch: typeof declared.dpopFetch = ({
  url,
  name = 'latchkey',
  bind = 'session',
}) => {
  const here = browser.location?.href;
  const base = new URL(url.replace(/\/*$/, '/'), here).href;
  /** The newest of each service. */
  const nonces = new Map<string, string>();
  let keys: Promise<{ privateKey: KeyPair['privateKey']; jwk: object }> | undefined;

  const load = async () => {
    const { publicKey, privateKey } = await storedKeys(name);
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    return { privateKey, jwk: { kty, crv, x, y } };
  };
  const proofOf = async (method: string, { origin, pathname }: URL, token: string | undefined) => {
    keys ??= load();
    const { privateKey, jwk } = await keys;
    const nonce = nonces.get(origin);
    const input = `${segment({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${segment({
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
      htm: method,
      htu: origin + pathname,
      iat: Math.floor(Date.now() / 1_000),
      ...(token && {
        ath: base64url(await crypto.subtle.digest('SHA-256', encoder.encode(token))),
      }),
      ...(nonce && { nonce }),
    })}`;
    const how = { name: 'ECDSA', hash: 'SHA-256' };
    const signature = await crypto.subtle.sign(how, privateKey, encoder.encode(input));
    return `${input}.${base64url(signature)}`;
  };

  /** Whether the last refresh had no proof: its session has no key, and the next refresh begins without one too. */
  let isUnbound = false;

  return async (input, init) => {
    const request = typeof input === 'object' && 'url' in input ? input : undefined;
    const target = new URL(request?.url ?? String(input), here);
    const headers = new Headers(init?.headers ?? request?.headers);
    const [, token] = /^Bearer (.+)/.exec(headers.get('Authorization') ?? '') ?? [];
    const isOurs = token ? isBound(token) : target.href.startsWith(base);
    if (!isOurs) return fetch(input, init);
    if (token) headers.set('Authorization', `DPoP ${token}`);
    else if (bind === 'refresh') headers.set('Prefer', 'token_type=Bearer');
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const isRefresh = target.origin + target.pathname === `${base}v1/refresh`;
    const isStream =
      typeof (init?.body as { getReader?: unknown } | null)?.getReader === 'function';

    const call = async (isProven: boolean | undefined) => {
      if (isProven) headers.set('DPoP', await proofOf(method, target, token));
      else headers.delete('DPoP');
      // A body that was read cannot be sent again.
      const response = await fetch(request?.clone() ?? input, { ...init, headers });
      const nonce = response.headers.get('DPoP-Nonce');
      if (nonce) nonces.set(target.origin, nonce);
      return response;
    };
    const isRefused = ({ headers }: Response, error: string) =>
      !isStream && headers.get('WWW-Authenticate')?.includes(error);
    const attempt = async ([isProven, ...others]: boolean[]): Promise<Response> => {
      let response = await call(isProven);
      if (isRefused(response, 'use_dpop_nonce')) response = await call(isProven);
      if (others.length && isRefused(response, 'invalid_dpop_proof')) return attempt(others);
      if (isRefresh) isUnbound = !isProven;
      return response;
    };

    // Twice with a proof: a browser or a proxy sends a request again when its connection breaks, and a proof counts once.
    // Without one, only a refresh: a sign-in would begin a session without a key, and the refresh of a session that has one
    // is refused without any effect.
    if (!isRefresh) return attempt([true, true]);
    return attempt(isUnbound ? [false, true, true] : [true, true, false]);
  };
};
