import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { TestApp } from './test-app.ts';

/** A key of a client, with which it proves that tokens are its own. */
export interface ClientKey {
  alg: string;
  jwk: JWK;
  jkt: string;
  privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
}

export async function clientKey(alg = 'ES256', options = {}): Promise<ClientKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { ...options, extractable: true });
  const jwk = await exportJWK(publicKey);
  return { alg, jwk, jkt: await calculateJwkThumbprint(jwk), privateKey };
}

export const athOf = (token: string) => createHash('sha256').update(token).digest('base64url');

interface Request {
  method?: string;
  /** Without query and fragment, as the proof names it. */
  htu: string;
  token?: string;
  /** Changes of the claims and of the header. */
  claims?: object;
  header?: object;
}

/** A proof as `jose` makes it. `now`: milliseconds. */
export const proofOf = (
  key: ClientKey,
  now: number,
  { method = 'GET', htu, token, claims = {}, header = {} }: Request,
): Promise<string> =>
  new SignJWT({
    jti: randomUUID(),
    htm: method,
    htu,
    iat: Math.floor(now / 1_000),
    ...(token !== undefined && { ath: athOf(token) }),
    ...claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header })
    .sign(key.privateKey);

type Changes = Partial<Request>;

/** Requests with proofs of this key, for a service of the test. */
export function prover({ inject, clock, context }: TestApp, key: ClientKey) {
  const htuOf = (url: string) =>
    `${new URL(context.config.ISSUER).origin}${url.split('?', 1)[0] as string}`;
  const proof = (method: string, url: string, changes: Changes = {}) =>
    proofOf(key, clock.now, { method, htu: htuOf(url), ...changes });
  return {
    proof,
    /** A request that asks for tokens. */
    post: async (
      url: string,
      payload: object,
      { headers = {}, ...changes }: Changes & { headers?: Record<string, string> } = {},
    ) =>
      inject({
        method: 'POST',
        url,
        payload,
        headers: { ...headers, dpop: await proof('POST', url, changes) },
      }),
    /** A request with the access token in the scheme `DPoP`. */
    call: async (
      token: string,
      request: {
        method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
        url: string;
        payload?: object;
      },
      changes: Changes = {},
    ) =>
      inject({
        method: 'GET',
        ...request,
        headers: {
          authorization: `DPoP ${token}`,
          dpop: await proof(request.method ?? 'GET', request.url, { token, ...changes }),
        },
      }),
  };
}
