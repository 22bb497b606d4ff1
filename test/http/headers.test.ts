import type { InjectOptions } from 'fastify';
import t from 'tap';
import { SWAGGER_UI } from '../docs-files.ts';
import { PASSWORD, testApp } from '../test-app.ts';

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
      [200, { url: `${SWAGGER_UI}/swagger-ui-bundle.js` }],
      [200, { url: '/openapi.yaml' }],
      [200, { url: '/client.js' }],
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
