import type { Test } from 'tap';
import type { PrivateJwk, SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { encode, Forger, hmac, publicKeyOf } from '../attacks/forger.ts';
import { freePort } from '../free-port.ts';
import { type SignedIn, signedIn } from '../people.ts';
import { keysFor, type TestApp, TestClock, testApp } from '../test-app.ts';

/** What the operator of another service configures. */
export interface Trust {
  alg: SigningAlgorithm;
  issuer: string;
  audience: string;
  /** Where the key set is. */
  keys: string;
}

/** A service that listens on a real port, at the real time, and a user of it. */
export async function issuing(
  t: Test,
  alg: SigningAlgorithm,
  forWhom: 'another' | 'issuer' = 'another',
): Promise<{ trust: Trust; ada: SignedIn; forger: Forger; now: number; service: TestApp }> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const audience = forWhom === 'issuer' ? issuer : 'https://api.example.com';
  const clock = new TestClock();
  clock.now = Date.now();
  const env = { ISSUER: issuer, AUDIENCE: audience, SIGNING_KEYS: keysFor(alg) };
  const service = await testApp(t, { env, clock });
  await service.app.listen({ host: '127.0.0.1', port });
  const ada = await signedIn(service, 'ada@example.com', { roles: ['editor'] });
  const [key] = (JSON.parse(keysFor(alg)) as { keys: [PrivateJwk] }).keys;
  const now = Math.floor(clock.now / 1_000);
  const trust = { alg, issuer, audience, keys: `${issuer}/.well-known/jwks.json` };
  return { trust, ada, forger: new Forger(ada.access_token, key), now, service };
}

/** A token that counts only with a proof of its key (DPoP). No library looks at that, so a recipe must. */
export const boundToken = (forger: Forger): string =>
  forger.withClaims({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } });

/** What a verifier must refuse, by what is wrong with it. */
export function badTokens(forger: Forger, ada: SignedIn, now: number): Record<string, string> {
  const { header, claims, segments, jwk } = forger;
  const pem = String(publicKeyOf(jwk).export({ type: 'spki', format: 'pem' }));
  const symmetric = forger.input({ header: { ...header, alg: 'HS256' } });
  const admin = encode({ ...claims, roles: ['admin'] });
  return {
    expired: forger.withClaims({ iat: now - 1_200, exp: now - 300 }),
    'another audience': forger.withClaims({ aud: 'https://other.example.com' }),
    'another issuer': forger.withClaims({ iss: 'https://other.example.com' }),
    'other claims under the signature': `${segments[0]}.${admin}.${segments[2]}`,
    'no signature': `${forger.input({ header: { ...header, alg: 'none' } })}.`,
    'the public key as a secret': `${symmetric}.${encode(hmac(symmetric, pem))}`,
    'a refresh token': ada.refresh_token,
  };
}
