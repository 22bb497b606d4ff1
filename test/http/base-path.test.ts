import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { nodeCommand } from '../child.ts';
import { docsFiles } from '../docs-files.ts';
import { operations, urlOf } from '../operations.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const BASE = '/auth/v2.1';
const ISSUER = `http://localhost:3000${BASE}`;

const { app } = await testApp(t, { env: { ISSUER } });

t.test('every route is below the path of ISSUER, and none outside it', async (t) => {
  const paths = [
    ...operations.map((operation) => urlOf(operation)),
    '/docs',
    '/docs/',
    '/docs/swagger-initializer.js',
    ...docsFiles,
    '/openapi.yaml',
  ];
  for (const path of paths) {
    const ask = (url: string) => app.inject({ method: 'OPTIONS', url });
    const { headers } = await ask(`${BASE}${path}`);
    t.ok(headers.allow, `${path}: there is something below the path`);
    for (const elsewhere of [path, `/auth${path}`, `${BASE}x${path}`, `/x${BASE}${path}`]) {
      const answer = await ask(elsewhere);
      refused(t, answer, 404, 'not_found');
      t.equal(answer.headers.allow, undefined, elsewhere);
    }
  }
});

t.test('signing up, in and out works below a path as at the root of a host', async (t) => {
  const post = (url: string, payload: object, headers = {}) =>
    app.inject({ method: 'POST', url: `${BASE}${url}`, payload, headers });
  const ada = { email: 'ada@example.com', password: PASSWORD };
  t.equal((await post('/v1/register', ada)).statusCode, 201);
  const login = await post('/v1/login', { ...ada, transport: 'cookie' });
  t.match(login.cookies, [{ path: `${BASE}/v1` }, { path: `${BASE}/v1` }]);
  const cookie = `${login.cookies[0]?.name}=${login.cookies[0]?.value}`;
  const headers = { cookie, origin: new URL(ISSUER).origin };
  const refreshed = await post('/v1/refresh', {}, headers);
  t.equal(refreshed.statusCode, 200);
  t.match(refreshed.cookies, [{ path: `${BASE}/v1` }, { path: `${BASE}/v1` }]);
  const authorization = `Bearer ${refreshed.json().access_token}`;
  const whoami = await app.inject({ url: `${BASE}/v1/whoami`, headers: { authorization } });
  t.match(whoami.json(), { iss: ISSUER, aud: ISSUER });
  const out = await post('/v1/logout', {}, headers);
  t.match(
    out.cookies,
    [{ value: '', maxAge: 0, path: `${BASE}/v1` }],
    'the same cookie is cleared',
  );
  t.equal((await app.inject({ url: `${BASE}/livez` })).statusCode, 200);
  t.equal((await app.inject({ url: `${BASE}/readyz` })).statusCode, 200);
});

t.test('the type of every problem links to its page', async (t) => {
  for (const url of [`${BASE}/v1/me`, '/nowhere', `${BASE}/nowhere`, '/%zz']) {
    const { type, code } = (await app.inject({ url })).json();
    t.equal(type, `${BASE}/problems/${code}`, url);
    t.match((await app.inject({ url: type })).payload, code);
  }
});

t.test(
  'the document has the path in the server URL only; its paths are as on any other server',
  async (t) => {
    const { payload } = await app.inject({ url: `${BASE}/openapi.yaml` });
    const document = parse(payload) as { servers: { url: string }[]; paths: object };
    t.match(document.servers, [{ url: BASE }]);
    t.same(Object.keys(document.paths), [...new Set(operations.map(({ path }) => path))]);
  },
);

t.test('the health check of the image uses the path too', async (t) => {
  const [, command = ''] =
    /^HEALTHCHECK[\s\S]*?CMD (\[.*\])$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  const [, ...check] = JSON.parse(command) as string[];
  const isHealthy = (env: Record<string, string>) =>
    promisify(execFile)(...nodeCommand(check), { env }).then(
      () => true,
      () => false,
    );
  const root = await testApp(t);
  for (const [server, issuer] of [
    [app, ISSUER],
    [root.app, ''],
    [root.app, 'https://id.example.com'],
  ] as const) {
    await server.listen({ host: '127.0.0.1', port: 0 }).catch(() => {});
    const { port } = server.server.address() as AddressInfo;
    t.equal(await isHealthy({ PORT: String(port), ISSUER: issuer }), true, issuer);
  }
  const { port } = root.app.server.address() as AddressInfo;
  t.equal(await isHealthy({ PORT: String(port), ISSUER }), false, 'nothing is listening');
});
