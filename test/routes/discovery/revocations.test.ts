import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import t from 'tap';
import type { SigningAlgorithm } from '../../../src/schemas/jwk.ts';
import { admin, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { keysFor, type TestApp, testApp } from '../../test-app.ts';

const url = '/.well-known/revocations';
const ISSUER = 'http://localhost:3000';

interface Document extends JWTPayload {
  cursor: string;
  since?: string;
  sessions: string[];
  users: Record<string, number>;
}

async function read({ inject }: TestApp, since?: string): Promise<Document> {
  const answer = await inject({ url, ...(since && { query: { since } }) });
  return decodeJwt<Document>(answer.payload);
}

t.test('another service learns what was revoked, with the key set alone', async (t) => {
  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[]) {
    const service = await testApp(t, { env: { SIGNING_KEYS: keysFor(alg) } });
    const { inject, clock, as } = service;
    const ada = await signedIn(service, 'ada@example.com');
    const bob = await signedIn(service, 'bob@example.com');
    t.match(await read(service), { sessions: [], users: {} });
    await as(ada.access_token, { method: 'POST', url: '/v1/logout' });
    await as(bob.access_token, { method: 'DELETE', url: '/v1/me/sessions' });

    const answer = await inject({ url });
    t.match(answer.headers, {
      'content-type': 'application/jwt',
      'cache-control': 'public, max-age=1',
      etag: /^W\/"[\w-]{22}\.\d+"$/,
    });
    const keys = createLocalJWKSet((await inject({ url: '/.well-known/jwks.json' })).json());
    const { payload } = await jwtVerify<Document>(answer.payload, keys, {
      algorithms: [alg],
      typ: 'revocations+jwt',
      issuer: ISSUER,
      audience: `${ISSUER}${url}`,
      currentDate: new Date(clock.now),
    });
    t.equal(payload.exp, (payload.iat ?? 0) + 60);
    t.ok(payload.sessions.includes(ada.session_id));
    t.same(payload.users, { [bob.id]: 1 }, 'the end of one session is no new version');
    const asAccess = { issuer: ISSUER, audience: ISSUER, currentDate: new Date(clock.now) };
    await t.rejects(jwtVerify(answer.payload, keys, asAccess), { message: /"aud"/ });
    refused(t, await as(answer.payload, { url: '/v1/whoami' }), 401, 'token_invalid');
  }
});

t.test('with a shared secret there is no document, as nobody could verify it', async (t) => {
  const service = await testApp(t, { env: { SIGNING_KEYS: keysFor('HS256') } });
  refused(t, await service.inject({ url }), 404, 'not_found');
});

t.test('a cursor gets what came later, and nothing twice', async (t) => {
  const service = await testApp(t);
  const root = await admin(service);
  const ada = await signedIn(service, 'ada@example.com');
  const begin = await read(service);
  t.equal(begin.since, undefined);
  await service.as(ada.access_token, { method: 'POST', url: '/v1/logout' });
  const first = await read(service, begin.cursor);
  t.match(first, { since: begin.cursor, sessions: [ada.session_id], users: {} });
  const bob = await signedIn(service, 'bob@example.com');
  const user = `/v1/users/${bob.id}`;
  await service.as(root.access_token, {
    method: 'PATCH',
    url: user,
    payload: { status: 'disabled' },
  });
  const second = await read(service, first.cursor);
  t.same(second.users, { [bob.id]: 1 });
  t.notOk(second.sessions.includes(ada.session_id));
  t.same((await read(service)).sessions.includes(ada.session_id), true, 'the whole has all');
  const foreign = await read(service, `${'x'.repeat(22)}.0.1`);
  t.equal(foreign.since, undefined, 'a cursor that cannot be followed gets the whole');
  refused(t, await service.inject({ url, query: { since: 'x'.repeat(65) } }), 422, 'invalid_input');
  refused(t, await service.inject({ url, query: { after: 'x' } }), 422, 'invalid_input');
});

t.test('an answer is not sent again while nothing was revoked', async (t) => {
  const service = await testApp(t);
  const ada = await signedIn(service, 'ada@example.com');
  const { headers } = await service.inject({ url });
  const again = () =>
    service.inject({ url, headers: { 'if-none-match': String(headers['etag']) } });
  const same = await again();
  t.equal(same.statusCode, 304);
  t.equal(same.payload, '');
  await service.as(ada.access_token, { method: 'POST', url: '/v1/logout' });
  t.equal((await again()).statusCode, 200);
});

t.test('documents asked for at the same time are signed once', async (t) => {
  const service = await testApp(t);
  const { payload } = await service.inject({ url });
  t.equal((await service.inject({ url })).payload, payload);
  service.clock.advance(1_000);
  t.not((await service.inject({ url })).payload, payload);
});

t.test('an answer waits for the next revocation, if it may', async (t) => {
  const service = await testApp(t);
  const { inject, context } = service;
  const ada = await signedIn(service, 'ada@example.com');
  const { cursor } = await read(service);
  const { headers } = await inject({ url });
  const prefer = { prefer: 'return=minimal, wait=20' };
  const waiting = [
    inject({ url, query: { since: cursor }, headers: prefer }),
    inject({ url, headers: { ...prefer, 'if-none-match': String(headers['etag']) } }),
  ];
  while (context.revocationLog.waiting < 2) await new Promise(setImmediate);
  await service.as(ada.access_token, { method: 'POST', url: '/v1/logout' });
  for (const answer of await Promise.all(waiting)) {
    t.match(answer, { statusCode: 200, headers: { 'preference-applied': 'wait=20' } });
    t.same(decodeJwt<Document>(answer.payload).sessions, [ada.session_id]);
  }
  const late = await inject({ url, query: { since: cursor }, headers: prefer });
  t.equal(late.headers['preference-applied'], undefined, 'there is news already');
  const none = await inject({ url, headers: prefer });
  t.equal(none.headers['preference-applied'], undefined, 'who knows nothing gets all at once');
});

t.test('an answer that waits does not hold up the end of a node', async (t) => {
  const service = await testApp(t);
  const { cursor } = await read(service);
  const ask = () =>
    service.inject({ url, query: { since: cursor }, headers: { prefer: 'wait=30' } });
  const waiting = ask();
  while (service.context.revocationLog.waiting < 1) await new Promise(setImmediate);
  service.context.revocationLog.release();
  t.match(decodeJwt<Document>((await waiting).payload), { since: cursor, sessions: [] });
  service.context.shutdown.close();
  t.equal((await ask()).headers['preference-applied'], undefined);
});

t.test('a node that has not asked the database for a minute says nothing', async (t) => {
  const service = await testApp(t);
  service.clock.advance(59_000);
  t.match(await read(service), { exp: (service.clock.now + 1_000) / 1_000 });
  service.clock.advance(1_000);
  const answer = await service.inject({ url });
  refused(t, answer, 503, 'unavailable');
  t.equal(answer.headers['retry-after'], '1');
  await service.context.revocationFeed.poll();
  t.match(await read(service), { iat: service.clock.now / 1_000 });
});
