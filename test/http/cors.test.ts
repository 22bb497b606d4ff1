import t from 'tap';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

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
          'access-control-expose-headers': /Retry-After.*, WWW-Authenticate, DPoP-Nonce/,
          vary: /Origin/,
        });
      }
      const answer = await preflight(origin);
      t.equal(answer.statusCode, 204);
      t.match(answer.headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, Prefer, DPoP',
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
