import type { InjectOptions } from 'fastify';
import t from 'tap';
import { refused } from '../refused.ts';
import { keysFor, PASSWORD, testApp } from '../test-app.ts';

const SECURITY_HEADERS = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': /^default-src 'none';.*frame-ancestors 'none'/,
};

t.test(
  'API-09 every answer has the security headers, and none names the server software',
  async (t) => {
    const { app, signUp, context } = await testApp(t, {
      env: { AUTH_RATE_LIMIT: '4/1m', CORS_ORIGINS: 'https://app.example.com' },
    });
    const { access_token } = await signUp();
    const json = { 'content-type': 'application/json' };
    const post = (url: string, payload: string, headers: object = json): InjectOptions => ({
      method: 'POST',
      url,
      payload,
      headers: { ...headers },
    });
    const login = post('/v1/login', JSON.stringify({ email: 'a@example.com', password: PASSWORD }));
    const bearer = { headers: { authorization: `Bearer ${access_token}` } };
    const requests: [number, InjectOptions][] = [
      [200, { url: '/livez' }],
      [200, { url: '/livez', method: 'HEAD' }],
      [200, { url: '/docs' }],
      [200, { url: '/docs/static/swagger-ui-bundle.js' }],
      [200, { url: '/openapi.yaml' }],
      [200, { url: '/problems/not_found' }],
      [200, { url: '/v1/me', ...bearer }],
      [204, { method: 'OPTIONS', url: '/v1/me', headers: { origin: 'https://app.example.com' } }],
      [204, { method: 'POST', url: '/v1/logout', ...bearer }],
      [400, post('/v1/refresh', '{')],
      [400, { url: '/%zz' }],
      [401, login],
      [401, { url: '/v1/me' }],
      [401, { url: '/v1/me', method: 'HEAD' }],
      [403, post('/v1/refresh', '{}', { ...json, cookie: '__Secure-latchkey_refresh=x' })],
      [404, { url: '/nope' }],
      [404, { url: `/problems/${'a'.repeat(200)}` }],
      [405, { url: '/v1/login' }],
      [405, { method: 'TRACE', url: '/v1/login' }],
      [413, post('/v1/refresh', 'a'.repeat(17_000))],
      [415, post('/v1/refresh', 'a', { 'content-type': 'text/plain' })],
      [422, post('/v1/refresh', '[]')],
      [429, post('/v1/login', '{')],
      [429, post('/v1/login', '{')],
    ];
    await app.inject(login);
    await app.inject(login);
    await app.inject(login);
    for (const [status, request] of requests) {
      const answer = await app.inject(request);
      t.equal(answer.statusCode, status, `${request.method ?? 'GET'} ${request.url}`.slice(0, 60));
      t.match(answer.headers, SECURITY_HEADERS);
      t.notOk('server' in answer.headers || 'x-powered-by' in answer.headers);
      t.notMatch(answer.payload.slice(0, 500), /FST_|FAST_JWT|SQLITE|node_modules|\bat .*\.ts/);
      if (status >= 400) t.equal(answer.headers['cache-control'], 'no-store');
    }
    await context.close();
    const gone = await app.inject(post('/v1/refresh', JSON.stringify({ refresh_token: 'x' })));
    t.match(gone.headers, SECURITY_HEADERS);
  },
);

t.test(
  'COO-05 only pages of listed origins may call, with credentials; never with a wildcard',
  async (t) => {
    const listed = ['https://app.example.com', 'http://localhost:5173'];
    const { app, inject } = await testApp(t, { env: { CORS_ORIGINS: listed.join(', ') } });
    const preflight = (origin: string | undefined) =>
      app.inject({
        method: 'OPTIONS',
        url: '/v1/me',
        headers: { ...(origin && { origin }), 'access-control-request-method': 'PATCH' },
      });
    for (const origin of listed) {
      for (const request of [{ url: '/livez' }, { url: '/v1/me' }, { url: '/nope' }]) {
        const { headers } = await inject({ ...request, headers: { origin } });
        t.match(headers, {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': /Retry-After/,
          vary: /Origin/,
        });
      }
      const answer = await preflight(origin);
      t.equal(answer.statusCode, 204);
      t.match(answer.headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key',
        'access-control-max-age': '600',
      });
    }
    for (const origin of [
      undefined,
      'null',
      '*',
      'https://evil.example',
      'http://app.example.com',
      'https://app.example.com:444',
      'https://app.example.com/',
      'https://APP.EXAMPLE.COM',
      'https://app.example.com.evil.example',
      'https://evilapp.example.com',
      'https://sub.app.example.com',
      'http://localhost:5174',
    ]) {
      const simple = await inject({ url: '/livez', headers: { ...(origin && { origin }) } });
      const asked = await preflight(origin);
      t.equal(simple.statusCode, 200);
      refused(t, asked, 405, 'method_not_allowed');
      for (const { headers } of [simple, asked]) {
        t.match(headers.vary, /Origin/, 'no cache serves one origin an answer for another');
        t.same(
          Object.keys(headers).filter((name) => name.startsWith('access-control')),
          [],
        );
      }
    }
  },
);

const preflightOf = (origin: string, url = '/v1/refresh') => ({
  method: 'OPTIONS' as const,
  url,
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'idempotency-key',
  },
});

t.test('COO-05 without a list only the pages of the service and of APP_URL may call', async (t) => {
  const { app } = await testApp(t, {
    env: { ISSUER: 'http://localhost:3000/auth', APP_URL: 'http://LOCALHOST:5173/app' },
  });
  const allows = async (origin: string) => {
    const { statusCode, headers } = await app.inject(preflightOf(origin, '/auth/v1/refresh'));
    return [statusCode, headers['access-control-allow-origin']];
  };
  for (const origin of ['http://localhost:3000', 'http://localhost:5173'])
    t.same(await allows(origin), [204, origin]);
  for (const origin of ['http://localhost:5174', 'https://localhost:5173', 'http://localhost'])
    t.same(await allows(origin), [405, undefined]);
});

t.test(
  'the log says once for each refused origin which variable would allow it, up to a bound',
  async (t) => {
    const { app, logs } = await testApp(t);
    const warnings = () =>
      logs.flatMap(({ level, msg }) =>
        level === 40 && /origin|refused/.test(String(msg)) ? [String(msg)] : [],
      );
    await app.inject(preflightOf('http://localhost:3000'));
    await app.inject({ url: '/livez', headers: { origin: 'https://app.example.com' } });
    await app.inject({ method: 'OPTIONS', url: '/livez' });
    t.same(warnings(), [], 'nothing to report');
    for (const _ of [1, 2, 3]) await app.inject(preflightOf('https://app.example.com'));
    t.same(warnings(), [
      'refused a browser request from https://app.example.com: if this is your page, set APP_URL to its address or add its origin to CORS_ORIGINS',
    ]);
    t.match(
      logs.find(({ origin }) => origin !== undefined),
      { origin: 'https://app.example.com', level: 40 },
    );
    for (const origin of [
      'null',
      'eyJhbGciOiJFUzI1NiJ9.canary',
      'https://eyJhbGciOiJFUzI1NiJ9.canary',
      `https://${'canary'.repeat(50)}`,
      'https://canary.example/path',
      'https://canary@evil.example',
      '\u001b[2Jcanary',
    ])
      await app.inject(preflightOf(origin));
    t.notMatch(JSON.stringify(logs), /canary/, 'an invalid origin is not repeated');
    t.match(warnings().slice(1), [
      /^refused a browser request from null:/,
      /^refused a browser request from a missing or invalid origin:/,
    ]);
    for (let index = 0; index < 300; index += 1)
      await app.inject(preflightOf(`https://${index}.example`));
    t.equal(warnings().length, 101);
    t.equal(warnings().at(-1), 'further refused origins are not logged');
  },
);

t.test('API-11 in production, plain http behind a proxy is refused, not redirected', async (t) => {
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://auth.example.com',
    SIGNING_KEYS: keysFor('ES256'),
    TRUST_PROXY: '10.0.0.0/8',
    MAIL_URL: 'smtps://mail.example.com',
  };
  const { inject } = await testApp(t, { env: production });
  const call = (remoteAddress: string, proto?: string) =>
    inject({
      url: '/livez',
      remoteAddress,
      headers: { ...(proto !== undefined && { 'x-forwarded-proto': proto }) },
    });
  t.equal((await call('10.0.0.1', 'https')).statusCode, 200);
  t.equal((await call('10.0.0.1')).statusCode, 200, 'the health check of the proxy itself');
  const plain = await call('10.0.0.1', 'http');
  refused(t, plain, 403, 'https_required');
  t.equal(plain.headers.location, undefined);
  refused(t, await call('203.0.113.9', 'https'), 403, 'https_required');

  const development = await testApp(t, { env: { TRUST_PROXY: '10.0.0.0/8' } });
  const headers = { 'x-forwarded-proto': 'http' };
  const local = await development.inject({ url: '/livez', remoteAddress: '10.0.0.1', headers });
  t.equal(local.statusCode, 200);
  const { TRUST_PROXY: _, ...direct } = production;
  const unproxied = await testApp(t, { env: direct });
  t.equal((await unproxied.inject({ url: '/livez', headers })).statusCode, 200);
});
