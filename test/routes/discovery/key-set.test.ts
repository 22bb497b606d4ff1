import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { newMasterSecret, newSigningKey } from '../../../src/domain/new-keys.ts';
import type { SigningAlgorithm } from '../../../src/schemas/jwk.ts';
import { keySet, keysFor, testApp } from '../../test-app.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];

t.test('another service verifies an access token with the key set alone', async (t) => {
  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[]) {
    const { signUp, inject, clock } = await testApp(t, { env: { SIGNING_KEYS: keysFor(alg) } });
    const { access_token } = await signUp();
    const answer = await inject({ url: '/.well-known/jwks.json' });
    t.equal(answer.statusCode, 200);
    t.match(answer.headers, {
      'content-type': /^application\/jwk-set\+json/,
      'cache-control': 'public, max-age=300',
      etag: /^"[\w-]+"$/,
    });
    const { payload, protectedHeader } = await jwtVerify(
      access_token,
      createLocalJWKSet(answer.json()),
      {
        algorithms: [alg],
        issuer: 'http://localhost:3000',
        audience: 'http://localhost:3000',
        typ: 'at+jwt',
        currentDate: new Date(clock.now),
      },
    );
    t.equal(payload.exp, (payload.iat ?? 0) + 900);
    t.equal(protectedHeader.kid, answer.json().keys[0].kid);
    t.equal(answer.json().keys.length, 1, 'the master secret is not among them');
    for (const member of PRIVATE_MEMBERS) t.notOk(member in answer.json().keys[0]);
  }
});

t.test('a shared secret is never published', async (t) => {
  const { signUp, as, inject } = await testApp(t, { env: { SIGNING_KEYS: keysFor('HS256') } });
  const { access_token } = await signUp();
  t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  t.strictSame((await inject({ url: '/.well-known/jwks.json' })).json(), { keys: [] });
});

t.test('a key is there before it signs and while it verifies, then gone', async (t) => {
  const start = Date.UTC(2026, 10, 23, 18, 0, 0) / 1_000;
  const [old, next] = [newSigningKey('ES256', 0), newSigningKey('ES256', start + 600)];
  const keys = keySet({ ...old, exp: start + 1_800 }, next, newMasterSecret(0));
  const { inject, clock, signUp } = await testApp(t, { env: { SIGNING_KEYS: keys } });
  const kids = async () =>
    (await inject({ url: '/.well-known/jwks.json' }))
      .json<{ keys: { kid: string }[] }>()
      .keys.map(({ kid }) => kid);
  const kidOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()).kid;

  t.same(await kids(), [old.kid, next.kid]);
  t.equal(kidOf((await signUp('one@example.com')).access_token), old.kid);
  const etag = (await inject({ url: '/.well-known/jwks.json' })).headers.etag;
  clock.advance(600_000);
  t.equal(kidOf((await signUp('two@example.com')).access_token), next.kid);
  t.same(await kids(), [old.kid, next.kid]);
  clock.advance(1_200_000);
  t.same(await kids(), [next.kid]);
  t.not((await inject({ url: '/.well-known/jwks.json' })).headers.etag, etag);
});
