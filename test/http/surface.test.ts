import { readFileSync } from 'node:fs';
import t from 'tap';
import { SWAGGER_UI } from '../docs-files.ts';
import { operations, payloadOf, urlOf } from '../operations.ts';
import { admin, serviceAccount, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const app = await testApp(t, { env: { TRUST_PROXY: '10.0.0.0/8' } });
const { inject, as } = app;
const root = await admin(app);
const ada = await signedIn(app, 'ada@example.com');

t.test('AZN-01 every route answers each caller as documented', async (t) => {
  const { access_token: machines } = await inject({
    method: 'POST',
    url: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: await serviceAccount(app).then(
      ({ id, secret }) => `grant_type=client_credentials&client_id=${id}&client_secret=${secret}`,
    ),
  }).then((answer) => answer.json());
  for (const operation of operations.filter(({ bearer }) => bearer)) {
    const statusOf = async (token: string | undefined) =>
      (
        await app.app.inject({
          method: operation.method,
          url: urlOf(operation, 'nobody'),
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(operation.type && { 'content-type': operation.type }),
          },
          ...(operation.type && { payload: payloadOf(operation, {}) }),
        })
      ).statusCode;
    const what = `${operation.method} ${operation.path}`;
    t.equal(await statusOf(undefined), 401, what);
    t.equal(await statusOf('x.y.z'), 401, what);
    t.equal(await statusOf(ada.refresh_token), 401, what);
    if (/^\/v1\/(users|service-accounts)/.test(operation.path))
      t.equal(await statusOf(ada.access_token), 403, `${what} by a person`);
    if (operation.path.startsWith('/v1/me'))
      t.equal(await statusOf(machines), 403, `${what} by a machine`);
  }
});

t.test(
  'AZN-02 resources of others and unknown resources are not found, and nothing changes',
  async (t) => {
    const { session_id, id, access_token } = await signedIn(app, 'eve@example.com');
    for (const other of [
      session_id,
      session_id.toUpperCase(),
      '0',
      '-1',
      '[]',
      '\0',
      '%00',
      "' or 1=1--",
      '../me',
      '*',
    ]) {
      const url = `/v1/me/sessions/${encodeURIComponent(other)}`;
      t.equal((await as(ada.access_token, { method: 'DELETE', url })).statusCode, 404, other);
    }
    for (const other of [
      id.toUpperCase(),
      root.id.replace(/.$/, 'x'),
      '0',
      '-1',
      '\0',
      '%00',
      "' or 1=1--",
      '*',
      '%',
    ]) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['DELETE', '/sessions'],
        ['DELETE', '/mfa'],
        ['DELETE', '/passkeys'],
        ['DELETE', '/identities'],
      ] as const) {
        const url = `/v1/users/${encodeURIComponent(other)}${path}`;
        const answer = await as(root.access_token, { method, url });
        t.equal(answer.statusCode, 404, `${method} ${url}`);
      }
    }
    t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
    t.equal((await as(access_token, { url: '/v1/me' })).statusCode, 200);
  },
);

t.test('AZN-04 an answer has only its declared members of the row', async (t) => {
  const membersOf = async (token: string, url: string) =>
    Object.keys((await as(token, { url })).json()).sort();
  t.same(await membersOf(ada.access_token, '/v1/me'), [
    'created_at',
    'email',
    'email_verified',
    'id',
    'last_login_at',
    'mfa',
    'name',
    'password',
    'recovery_codes',
    'roles',
  ]);
  t.same(await membersOf(root.access_token, `/v1/users/${ada.id}`), [
    'claims',
    'created_at',
    'email',
    'email_verified',
    'id',
    'last_login_at',
    'mfa',
    'name',
    'passkeys',
    'password',
    'providers',
    'roles',
    'sessions',
    'status',
    'updated_at',
  ]);
  const everything = await Promise.all(
    [
      '/v1/users',
      `/v1/users/${ada.id}`,
      '/v1/me',
      '/v1/me/sessions',
      '/v1/service-accounts',
      '/v1/whoami',
    ].map(async (url) => (await as(root.access_token, { url })).payload),
  );
  t.notMatch(everything.join(), /hash|argon2|throttle|failures|secret|row_version|challenge|gen"/);
});

t.test('ERR-05 no request for the files of the docs page causes an error', async (t) => {
  const file = `${SWAGGER_UI}/swagger-ui.css`;
  for (const [status, url, headers] of [
    [404, '/docs/static/..%5cx', {}],
    [404, '/docs/static/%00', {}],
    [404, `${SWAGGER_UI}/..%5cx`, {}],
    [404, `${SWAGGER_UI}/%00`, {}],
    [400, file, { 'if-match': '"x"' }],
    [400, file, { 'if-unmodified-since': 'Mon, 01 Jan 1990 00:00:00 GMT' }],
    [400, file, { range: 'bytes=99999999-' }],
  ] as const) {
    const answer = await app.app.inject({ url, headers });
    refused(t, answer, status, status === 404 ? 'not_found' : 'bad_request');
    t.equal(answer.headers['cache-control'], 'no-store');
  }
});

t.test(
  'API-10 the content type matches the body, and a response without a body has none',
  async (t) => {
    const bearer = { authorization: `Bearer ${ada.access_token}` };
    for (const [url, type] of [
      ['/livez', /^application\/json/],
      ['/v1/me', /^application\/json/],
      ['/nope', /^application\/problem\+json/],
      ['/.well-known/jwks.json', /^application\/jwk-set\+json/],
      ['/docs', /^text\/html; charset=utf-8/],
      ['/problems/not_found', /^text\/html; charset=utf-8/],
      ['/openapi.yaml', /yaml/],
    ] as const) {
      const { headers, payload } = await app.app.inject({ url, headers: bearer });
      t.match(headers['content-type'], type, url);
      const head = await app.app.inject({ method: 'HEAD', url, headers: bearer });
      t.equal(head.payload, '', url);
      t.ok(payload.length > 0);
    }
    const other = await signedIn(app, 'grace@example.com');
    const ended = await as(other.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
    t.equal(ended.statusCode, 204);
    t.equal(ended.headers['content-type'], undefined);
    t.equal(ended.payload, '');
  },
);

t.test(
  'API-12 health checks reveal nothing more than health, and nothing internal is public',
  async (t) => {
    t.same((await inject({ url: '/livez' })).json(), { status: 'ok' });
    t.notMatch(
      (await inject({ url: '/readyz' })).payload,
      /version|host|file:|postgres|sqlite|path/i,
    );
    for (const url of [
      '/metrics',
      '/debug',
      '/status',
      '/server-status',
      '/env',
      '/.env',
      '/.git/config',
      '/package.json',
      '/data/keys.json',
      '/docs/../../package.json',
      '/docs/static/..%2f..%2f..%2fpackage.json',
      '/docs/static/%2e%2e/%2e%2e/package.json',
      `${SWAGGER_UI}/package.json`,
      `${SWAGGER_UI}/..%2fpackage.json`,
      '/documentation',
      '/actuator',
      '/graphql',
    ]) {
      const { statusCode, payload } = await app.app.inject({ url });
      t.ok([400, 403, 404].includes(statusCode), `${url}: ${statusCode}`);
      t.notMatch(payload, /"dependencies"|"keys"/);
    }
  },
);

/** The versions that fixed the last known vulnerability. */
const FLOORS: Record<string, string> = {
  fastify: '5.12.5',
  '@fastify/jwt': '10.2.2',
  'fast-jwt': '6.3.4',
  '@fastify/rate-limit': '11.2.0',
  'ip-address': '10.7.1',
  cookie: '0.7.0',
  'find-my-way': '9.7.0',
  'fast-uri': '3.1.8',
};

t.test(
  'CFG-02 every dependency is at least at the version that fixed its last known vulnerability',
  async (t) => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    for (const [name, floor] of Object.entries(FLOORS)) {
      const places = Object.entries(packages).filter(([path]) =>
        path.endsWith(`node_modules/${name}`),
      );
      t.ok(places.length > 0, name);
      for (const [path, { version }] of places) {
        const higher = version.localeCompare(floor, 'en', { numeric: true }) >= 0;
        t.ok(higher, `${path} ${version}, at least ${floor}`);
      }
    }
  },
);

t.test(
  'AZN-05 users cannot raise their own privileges, and the last administrator stays one',
  async (t) => {
    const alone = await testApp(t);
    const { id, access_token } = await admin(alone);
    const eve = await signedIn(alone, 'eve@example.com');
    const of = (token: string, method: 'PATCH' | 'DELETE', url: string, payload?: object) =>
      alone.as(token, { method, url, ...(payload && { payload }) });
    for (const [status, answer] of [
      [422, await of(eve.access_token, 'PATCH', '/v1/me', { name: 'Eve', roles: ['admin'] })],
      [403, await of(eve.access_token, 'PATCH', `/v1/users/${eve.id}`, { roles: ['admin'] })],
      [409, await of(access_token, 'PATCH', `/v1/users/${id}`, { roles: [] })],
      [409, await of(access_token, 'PATCH', `/v1/users/${id}`, { status: 'disabled' })],
      [409, await of(access_token, 'DELETE', `/v1/users/${id}`)],
    ] as const)
      t.equal(answer.statusCode, status);
    t.same((await alone.context.users.findById(eve.id))?.roles, []);
    t.match(await alone.context.users.findById(id), { roles: ['admin'], status: 'active' });
  },
);
