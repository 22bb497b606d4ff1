import type { InjectOptions } from 'fastify';
import t from 'tap';
import { addressesOf } from '../../src/http/forwarded.ts';
import { nameOf, operations, urlOf } from '../operations.ts';
import { testApp } from '../test-app.ts';

const requestOf = (operation: (typeof operations)[number]): InjectOptions => ({
  method: operation.method,
  url: urlOf(operation),
});

t.test(
  'RAT-01 RAT-02 RAT-03 every route responds 429 with Retry-After once its limit is used up',
  async (t) => {
    const { app, events } = await testApp(t, {
      env: { RATE_LIMIT: '3/1m', AUTH_RATE_LIMIT: '2/1m' },
    });
    const tighter: string[] = [];
    for (const [index, operation] of operations.entries()) {
      const remoteAddress = `198.51.100.${index}`;
      const send = () => app.inject({ ...requestOf(operation), remoteAddress });
      const limit = Number((await send()).headers['ratelimit-limit']);
      if (limit === 2) tighter.push(nameOf(operation));
      for (let left = limit - 2; left >= 0; left -= 1) {
        const { statusCode, headers } = await send();
        t.not(statusCode, 429, nameOf(operation));
        t.equal(headers['ratelimit-remaining'], String(left));
      }
      const { statusCode, headers, payload } = await send();
      t.equal(statusCode, 429, nameOf(operation));
      const wait = Number(headers['retry-after']);
      t.ok(wait > 0 && wait <= 60 && wait >= Number(headers['ratelimit-reset']));
      t.match(
        JSON.parse(payload),
        operation.type === 'application/x-www-form-urlencoded'
          ? { error: 'temporarily_unavailable' }
          : { code: 'rate_limited', status: 429 },
      );
      const { statusCode: other } = await app.inject({
        ...requestOf(operation),
        remoteAddress: `203.0.113.${index}`,
      });
      t.not(other, 429, 'a neighbour has a separate count');
    }
    t.same(events(), [], 'no work was done');
    for (const route of [
      'POST /v1/register',
      'POST /v1/register/complete',
      'POST /v1/login',
      'POST /v1/login/mfa',
      'POST /v1/password/forgot',
      'POST /v1/password/reset',
      'POST /v1/email/confirm',
      'PUT /v1/me/password',
      'PUT /v1/me/email',
      'DELETE /v1/me',
      'POST /v1/me/mfa/totp',
      'POST /oauth/token',
    ])
      t.ok(tighter.includes(route), `${route} has the tighter limit`);
  },
);

t.test(
  'RAT-05 RAT-07 other spellings, methods, content types and errors share the same count',
  async (t) => {
    const { app } = await testApp(t, { env: { RATE_LIMIT: '3/1m', AUTH_RATE_LIMIT: '3/1m' } });
    const json = { 'content-type': 'application/json' };
    const login = { method: 'POST', url: '/v1/login' } as const;
    const spellings: Record<string, InjectOptions[]> = {
      '198.51.100.1': [
        { ...login, payload: '{', headers: json },
        { ...login, url: '/v1/%6cogin' },
        { ...login, url: '/v1/login?x=y', payload: 'x', headers: { 'content-type': 'text/plain' } },
        { ...login, url: '/v1/l%6fgin', payload: 'a'.repeat(17_000), headers: json },
      ],
      '198.51.100.2': [
        { url: '/v1/me', method: 'HEAD' },
        { url: '/v1/me', headers: { authorization: 'Bearer x' } },
        { url: '/v1//me' },
        { url: '/V1/ME' },
      ],
      '198.51.100.3': [
        { url: '/nope' },
        { url: '/v1/login' },
        { url: '/nope', method: 'POST', payload: '{', headers: json },
        { url: '/livez' },
      ],
    };
    for (const [remoteAddress, requests] of Object.entries(spellings)) {
      const statuses: number[] = [];
      for (const request of requests)
        statuses.push((await app.inject({ ...request, remoteAddress })).statusCode);
      t.equal(statuses.pop(), 429, JSON.stringify(requests.at(-1)).slice(0, 60));
      t.notOk(statuses.includes(429));
    }
  },
);

t.test('RAT-07 every unknown path beyond the limit is 429', async (t) => {
  const { app } = await testApp(t, { env: { RATE_LIMIT: '600/1m' } });
  let refused = 0;
  for (let n = 0; n < 2_000; n += 1)
    if ((await app.inject({ url: `/nope-${n}` })).statusCode === 429) refused += 1;
  t.equal(refused, 1_400);
});

t.test(
  'RAT-04 API-08 the client is the right-most address that is not a trusted proxy, with or without a port',
  async (t) => {
    const { app, logs } = await testApp(t, {
      env: { RATE_LIMIT: '1/1m', TRUST_PROXY: '10.0.0.0/8,2001:db8:ffff::/48' },
    });
    const clients: [forwarded: string, client: string][] = [
      ['203.0.113.1', '203.0.113.1'],
      ['6.6.6.6, 203.0.113.2', '203.0.113.2'],
      ['6.6.6.6, 203.0.113.3, 10.9.9.9', '203.0.113.3'],
      ['203.0.113.4:51234', '203.0.113.4'],
      ['[2001:db8:1::1]:443', '2001:db8:1::1'],
      ['[2001:db8:2::1]', '2001:db8:2::1'],
      ['not an address, 203.0.113.5', '203.0.113.5'],
      ['203.0.113.6, not an address', '10.0.0.1'],
      ['not an address, 10.0.0.7', '10.0.0.7'],
      ['fe80::1%CANARY', '10.0.0.2'],
      [',', '10.0.0.3'],
      ['unknown', '10.0.0.4'],
      ['9'.repeat(9_000), '10.0.0.5'],
    ];
    for (const [forwarded, client] of clients) {
      const remoteAddress = client.startsWith('10.') ? client : '10.200.0.1';
      const call = (header: string) =>
        app.inject({ url: '/livez', remoteAddress, headers: { 'x-forwarded-for': header } });
      t.equal((await call(forwarded)).statusCode, 200, forwarded.slice(0, 40));
      t.equal(logs.at(-1)?.['ip'], client);
      t.equal(
        (await call(`6.6.6.6, ${forwarded}`)).statusCode,
        429,
        'what is added in front is no news',
      );
    }
    const port = await app.inject({
      url: '/livez',
      remoteAddress: '10.200.0.1',
      headers: { 'x-forwarded-for': '203.0.113.4:51235' },
    });
    t.equal(port.statusCode, 429, 'another port is the same client');
    const bad = { 'x-forwarded-for': 'CANARY' };
    await app.inject({ url: '/%zz', remoteAddress: '10.0.0.9', headers: bad });
    t.equal(logs.at(-1)?.['ip'], '10.0.0.9', 'even where no hook runs');
    t.same(addressesOf(' ::1 ,\t192.0.2.1'), ['::1', '192.0.2.1']);
  },
);

t.test('RAT-06 requests are refused when the store fails', async (t) => {
  const { app } = await testApp(t, { env: { RATE_LIMIT: '5/1m' } });
  const { ClientCounts } = await import('../../src/http/client-counts.ts');
  const { incr } = ClientCounts.prototype;
  t.teardown(() => {
    ClientCounts.prototype.incr = incr;
  });
  ClientCounts.prototype.incr = (_prefix, answer) => answer(new Error('the store is gone'));
  const { statusCode, payload } = await app.inject({ url: '/livez' });
  t.equal(statusCode, 500);
  t.notMatch(payload, /store/);
});
