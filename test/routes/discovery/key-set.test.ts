import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import type { SigningAlgorithm } from '../../../src/schemas/jwk.ts';
import { document } from '../../operations.ts';
import { signedIn } from '../../people.ts';
import { keySet, keysFor, testApp } from '../../test-app.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];

t.test('KEY-01 another service can verify an access token with only the key set', async (t) => {
  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[]) {
    const service = await testApp(t, { env: { SIGNING_KEYS: keysFor(alg) } });
    const { inject, clock } = service;
    const { access_token } = await signedIn(service, 'ada@example.com');
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
    t.equal(answer.json().keys.length, 1, 'the master secret is not published');
    for (const member of PRIVATE_MEMBERS) t.notOk(member in answer.json().keys[0]);
  }
});

t.test('KEY-01 KEY-03 a shared secret is never published', async (t) => {
  const service = await testApp(t, { env: { SIGNING_KEYS: keysFor('HS256') } });
  const { as, inject } = service;
  const { access_token } = await signedIn(service, 'ada@example.com');
  t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  t.strictSame((await inject({ url: '/.well-known/jwks.json' })).json(), { keys: [] });
});

t.test(
  'KEY-05 a key is published before it signs and while it verifies, but not afterwards',
  async (t) => {
    const start = Date.UTC(2026, 10, 23, 18, 0, 0) / 1_000;
    const [old, next] = [newSigningKey('ES256', 0), newSigningKey('ES256', start + 600)];
    const keys = keySet({ ...old, exp: start + 1_800 }, next, newMasterSecret(0));
    const service = await testApp(t, { env: { SIGNING_KEYS: keys } });
    const { inject, clock } = service;
    const kids = async () =>
      (await inject({ url: '/.well-known/jwks.json' }))
        .json<{ keys: { kid: string }[] }>()
        .keys.map(({ kid }) => kid);
    const kidOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()).kid;

    t.same(await kids(), [old.kid, next.kid]);
    t.equal(kidOf((await signedIn(service, 'one@example.com')).access_token), old.kid);
    const etag = (await inject({ url: '/.well-known/jwks.json' })).headers.etag;
    clock.advance(600_000);
    t.equal(kidOf((await signedIn(service, 'two@example.com')).access_token), next.kid);
    t.same(await kids(), [old.kid, next.kid]);
    clock.advance(1_200_000);
    t.same(await kids(), [next.kid]);
    t.not((await inject({ url: '/.well-known/jwks.json' })).headers.etag, etag);
  },
);

t.test(
  'KEY-07 caches keep the key set for less time than a new key waits, and it can only be read',
  async (t) => {
    const { app, inject } = await testApp(t);
    const url = '/.well-known/jwks.json';
    const { headers } = await inject({ url });
    t.equal(headers['cache-control'], 'public, max-age=300');
    t.match(headers.etag, /^"[\w-]+"$/);
    t.equal((await inject({ method: 'HEAD', url })).statusCode, 200);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const answer = await app.inject({ method, url });
      t.equal(answer.statusCode, 405, method);
      t.match(answer.headers.allow, /GET/);
    }
  },
);

t.test('KEY-09 no private member of a key is in an answer or in the log', async (t) => {
  for (const alg of ['ES256', 'RS256', 'HS256'] satisfies SigningAlgorithm[]) {
    const keys = keysFor(alg);
    const service = await testApp(t, { env: { SIGNING_KEYS: keys } });
    const { app, as, logs } = service;
    const { access_token } = await signedIn(service, 'ada@example.com');
    const answers: string[] = [];
    for (const path of Object.keys(document.paths)) {
      const url = path.replace(/\{\w+\}/, 'token_missing');
      for (const request of [{ url }, { url: `${url}?x=PRIVATE` }])
        answers.push((await app.inject(request)).payload);
    }
    answers.push((await as(access_token, { url: '/v1/me' })).payload);
    const heard = `${answers.join('\n')}${JSON.stringify(logs)}`;
    t.notMatch(heard, /PRIVATE KEY|"(d|p|q|dp|dq|qi|k)":"/);
    for (const key of (JSON.parse(keys) as { keys: Record<string, unknown>[] }).keys) {
      const secrets = PRIVATE_MEMBERS.flatMap((member) => String(key[member] ?? '') || []);
      t.ok(secrets.length > 0);
      for (const secret of secrets) t.notOk(heard.includes(secret), `${alg}: not found`);
    }
  }
});
