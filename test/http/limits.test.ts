import { setTimeout as sleep } from 'node:timers/promises';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { document } from '../operations.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

t.test('RAT-02 a request beyond the limit is 429 with Retry-After', async (t) => {
  const { inject } = await testApp(t, { env: { RATE_LIMIT: '2/1m' } });
  for (const remaining of ['1', '0']) {
    const { statusCode, headers } = await inject({ url: '/livez' });
    t.equal(statusCode, 200);
    t.match(headers, { 'ratelimit-limit': '2', 'ratelimit-remaining': remaining });
  }
  const answer = await inject({ url: '/livez' });
  refused(t, answer, 429, 'rate_limited');
  const wait = Number(answer.headers['retry-after']);
  t.ok(wait > 50 && wait <= 60, `Retry-After: ${wait}`);
  t.match(answer.headers, { 'ratelimit-limit': '2', 'ratelimit-remaining': '0' });
  t.ok(Number(answer.headers['ratelimit-reset']) <= wait);
  t.equal((await inject({ url: '/livez', remoteAddress: '192.0.2.2' })).statusCode, 200);
});

t.test(
  'all requests share one count: HEAD, other paths, unknown paths, bad bodies, 401',
  async (t) => {
    const requests: InjectOptions[] = [
      { url: '/livez', method: 'HEAD' },
      { url: '/livez?a=1' },
      { url: '/v1/me' },
      { url: '/nope' },
      { url: '/nope', method: 'HEAD' },
      { url: '/v1/login' },
      { url: '/v1/me%zz' },
      { url: '/livez#x' },
      { url: '/livez', method: 'POST', headers: { 'transfer-encoding': 'gzip' } },
      { url: '/%', method: 'POST' },
      { url: `/v1/me/sessions/${'a'.repeat(200)}`, method: 'DELETE' },
      { url: '/docs' },
      { url: '/docs/static/nope.js' },
      { url: '/openapi.yaml' },
      {
        url: '/v1/refresh',
        method: 'POST',
        payload: '{',
        headers: { 'content-type': 'text/plain' },
      },
      {
        url: '/nope',
        method: 'POST',
        payload: '{',
        headers: { 'content-type': 'application/json' },
      },
    ];
    const { inject, app } = await testApp(t, { env: { RATE_LIMIT: `${requests.length}/1m` } });
    for (const [index, request] of requests.entries()) {
      const { statusCode, headers } = await app.inject(request);
      t.not(statusCode, 429);
      t.equal(
        Number(headers['ratelimit-remaining']),
        requests.length - 1 - index,
        `${request.url}`,
      );
    }
    for (const request of requests) {
      const answer = await app.inject(request);
      t.equal(answer.statusCode, 429, `${request.method ?? 'GET'} ${request.url}`);
    }
    refused(t, await inject({ url: '/livez' }), 429, 'rate_limited');
  },
);

t.test('routes that accept a password or create a user have a tighter limit', async (t) => {
  const { app, signUp, post, login, inject, events } = await testApp(t, {
    env: { RATE_LIMIT: '100/1m', AUTH_RATE_LIMIT: '2/1m' },
  });
  const { access_token } = await signUp();
  const limitOf = async (request: InjectOptions) =>
    (await app.inject(request)).headers['ratelimit-limit'];
  const tight: string[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of Object.keys(item)) {
      const request = { method: method.toUpperCase(), url: path.replace('{', '').replace('}', '') };
      const remoteAddress = '192.0.2.9';
      if ((await limitOf({ ...request, remoteAddress } as InjectOptions)) === '2')
        tight.push(`${request.method} ${path}`);
    }
  }
  t.same(tight.sort(), [
    'DELETE /v1/me',
    'DELETE /v1/me/mfa/totp',
    'GET /v1/login/{provider}',
    'GET /v1/login/{provider}/callback',
    'PATCH /v1/users/{id}',
    'POST /oauth/revoke',
    'POST /oauth/token',
    'POST /v1/email/confirm',
    'POST /v1/email/not-me',
    'POST /v1/login',
    'POST /v1/login/code',
    'POST /v1/login/code/verify',
    'POST /v1/login/id-token',
    'POST /v1/login/id-token/nonce',
    'POST /v1/login/mfa',
    'POST /v1/login/passkey',
    'POST /v1/login/passkey/options',
    'POST /v1/login/{provider}/callback',
    'POST /v1/me/identities',
    'POST /v1/me/identities/{provider}/redirect',
    'POST /v1/me/mfa/recovery-codes',
    'POST /v1/me/mfa/totp',
    'POST /v1/me/mfa/totp/confirm',
    'POST /v1/me/passkeys',
    'POST /v1/me/verify',
    'POST /v1/password/forgot',
    'POST /v1/password/reset',
    'POST /v1/register',
    'POST /v1/register/complete',
    'POST /v1/service-accounts',
    'POST /v1/service-accounts/{id}/secret',
    'POST /v1/users',
    'PUT /v1/me/email',
    'PUT /v1/me/password',
  ]);

  t.equal((await login()).statusCode, 200);
  t.equal((await login('eve@example.com')).statusCode, 401);
  const seen = events().length;
  refused(t, await login(), 429, 'rate_limited');
  const body = { email: 'ada@example.com', password: PASSWORD };
  refused(t, await post('/v1/login?again=1', body), 429, 'rate_limited');
  refused(t, await post('/v1/login', {}), 429, 'rate_limited');
  t.equal(events().length, seen, 'no password was checked');
  const authorization = `Bearer ${access_token}`;
  t.equal((await inject({ url: '/v1/me', headers: { authorization } })).statusCode, 200);
});

t.test('a client may retry when the window has passed', async (t) => {
  const { inject } = await testApp(t, { env: { RATE_LIMIT: '1/1s' } });
  t.equal((await inject({ url: '/livez' })).statusCode, 200);
  const refusal = await inject({ url: '/livez' });
  refused(t, refusal, 429, 'rate_limited');
  t.equal(refusal.headers['retry-after'], '1');
  await sleep(1_050);
  t.equal((await inject({ url: '/livez' })).statusCode, 200);
});

t.test('RAT-04 an IPv6 client is its /64, a mapped address is its IPv4', async (t) => {
  const { inject } = await testApp(t, { env: { RATE_LIMIT: '1/1m' } });
  const call = async (remoteAddress: string) =>
    (await inject({ url: '/livez', remoteAddress })).statusCode;
  t.equal(await call('2001:db8:1:2::1'), 200);
  t.equal(await call('2001:db8:1:2:ffff:ffff:ffff:ffff'), 429, 'the same /64');
  t.equal(await call('2001:db8:1:3::1'), 200, 'the next /64');
  t.equal(await call('192.0.2.1'), 200);
  t.equal(await call('::ffff:192.0.2.1'), 429, 'the same IPv4 address');
  t.equal(await call('::ffff:192.0.2.2'), 200, 'its neighbour');
});

t.test('forwarding headers from an untrusted client are ignored, with one warning', async (t) => {
  const { inject, logs } = await testApp(t, { env: { RATE_LIMIT: '2/1m' } });
  const warnings = () => logs.filter(({ msg }) => /TRUST_PROXY/.test(String(msg))).length;
  await inject({ url: '/livez', remoteAddress: '192.0.2.8' });
  t.equal(warnings(), 0);
  const statuses: number[] = [];
  for (const headers of [
    { 'x-forwarded-for': '203.0.113.1' },
    { forwarded: 'for=203.0.113.2' },
    { 'x-forwarded-for': '203.0.113.3' },
  ] as InjectOptions['headers'][]) {
    statuses.push((await inject({ url: '/livez', ...(headers && { headers }) })).statusCode);
  }
  t.same(statuses, [200, 200, 429]);
  t.equal(warnings(), 1);
  t.equal(logs.at(-1)?.['ip'], '127.0.0.1');
});

t.test('behind a trusted proxy the client is the address that the proxy reports', async (t) => {
  const { inject, logs } = await testApp(t, {
    env: { RATE_LIMIT: '1/1m', TRUST_PROXY: '10.0.0.0/8, 2001:db8:ffff::/48' },
  });
  const call = async (remoteAddress: string, forwarded: string) => {
    const headers = { 'x-forwarded-for': forwarded };
    return (await inject({ url: '/livez', remoteAddress, headers })).statusCode;
  };
  t.equal(await call('10.0.0.1', '203.0.113.1'), 200);
  t.equal(logs.at(-1)?.['ip'], '203.0.113.1');
  t.equal(await call('10.0.0.2', '203.0.113.1'), 429, 'one client through two proxies');
  t.equal(await call('2001:db8:ffff::1', '203.0.113.2'), 200);
  t.equal(
    await call('10.0.0.1', '6.6.6.6, 203.0.113.2'),
    429,
    'entries written by the client are ignored',
  );
  t.equal(await call('198.51.100.1', '203.0.113.3'), 200);
  t.equal(await call('198.51.100.1', '203.0.113.4'), 429, 'an untrusted address is not a proxy');
  t.notOk(logs.some(({ msg }) => /TRUST_PROXY/.test(String(msg))));
});

t.test('a limit can be turned off, and the log says so', async (t) => {
  const both = await testApp(t);
  const body = { method: 'POST', url: '/v1/login' } as const;
  for (const request of [{ url: '/livez' }, { url: '/nope' }, body]) {
    t.equal((await both.inject(request)).headers['ratelimit-limit'], undefined);
  }
  const said = ({ logs }: typeof both) =>
    logs.flatMap(({ msg }) => /^(\w+) is off/.exec(String(msg))?.[1] ?? []);
  t.same(said(both), ['RATE_LIMIT', 'AUTH_RATE_LIMIT']);
  const one = await testApp(t, { env: { AUTH_RATE_LIMIT: '5/1m' } });
  t.equal((await one.inject({ url: '/nope' })).headers['ratelimit-limit'], undefined);
  t.equal((await one.inject(body)).headers['ratelimit-limit'], '5');
  t.same(said(one), ['RATE_LIMIT']);
});

t.test('preflights count too, once each', async (t) => {
  const origin = 'https://app.example.com';
  const { app } = await testApp(t, { env: { RATE_LIMIT: '3/1m', CORS_ORIGINS: origin } });
  const headers = { origin, 'access-control-request-method': 'POST' };
  const preflight = () => app.inject({ method: 'OPTIONS', url: '/v1/login', headers });
  for (const remaining of ['2', '1']) {
    const answer = await preflight();
    t.equal(answer.statusCode, 204);
    t.match(answer.headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': remaining });
  }
  const other = await app.inject({ method: 'OPTIONS', url: '/v1/login' });
  t.equal(other.headers['ratelimit-remaining'], '0');
  t.equal((await preflight()).statusCode, 429);
  t.equal((await app.inject({ url: '/livez' })).statusCode, 429);
});

t.test('a flood from other addresses does not reset a client’s count', async (t) => {
  const { app } = await testApp(t, { env: { RATE_LIMIT: '2/1m', LOG_LEVEL: 'silent' } });
  const statusOf = async (remoteAddress: string) =>
    (await app.inject({ url: '/livez', remoteAddress })).statusCode;
  t.same([await statusOf('192.0.2.1'), await statusOf('192.0.2.1')], [200, 200]);
  t.equal(await statusOf('192.0.2.1'), 429);
  for (let junk = 0; junk < 2_000; junk += 1)
    await statusOf(`2001:db8:${(junk >> 8).toString(16)}:${(junk & 255).toString(16)}::1`);
  t.equal(await statusOf('192.0.2.1'), 429);
});
