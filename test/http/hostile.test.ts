import { gzipSync } from 'node:zlib';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { accountRows, opened } from '../databases.ts';
import { hostile, nameOf, operations, payloadOf, urlOf, withBody } from '../operations.ts';
import { admin } from '../people.ts';
import { testApp } from '../test-app.ts';

const db = opened(t, 'file::memory:');
const app = await testApp(t, { database: db });
const { access_token } = await admin(app);
const bearer = { authorization: `Bearer ${access_token}` };
const rows = () => accountRows(db);
const before = await rows();
const guarded = operations.filter((operation) => operation.bearer);

const FOREIGN_TYPES = [
  'text/plain',
  'text/plain; application/json',
  'text/html',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/jsonx',
  'application/json; charset=utf-16',
  'application/json; charset=utf-7',
  'application/json;x',
  'application/json, text/plain',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'application/x-www-form-urlencodedx',
  '*/*',
  '/',
  ';',
  '\t',
  `application/${'a'.repeat(5_000)}`,
];

const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));

t.test('API-01 every route accepts one content type only, in UTF-8 and uncompressed', async (t) => {
  for (const operation of withBody) {
    const { method, type } = operation;
    const other =
      type === 'application/json' ? 'application/x-www-form-urlencoded' : 'application/json';
    const send = async (headers: Record<string, string>, payload: string | Buffer) => {
      const request = {
        method,
        url: urlOf(operation),
        payload,
        headers: { ...bearer, ...headers },
      };
      const what = `${nameOf(operation)} ${JSON.stringify(headers).slice(0, 80)}`;
      const { statusCode } = await hostile(t, app, request, what);
      t.equal(statusCode, 415, what);
    };
    const body = payloadOf(operation, {});
    for (const foreign of [...FOREIGN_TYPES, other]) await send({ 'content-type': foreign }, body);
    for (const [coding, payload] of [
      ['gzip', bomb],
      ['gzip', body],
      ['br', body],
      ['deflate, gzip', body],
      ['identity', body],
      ['x', body],
    ] as const) {
      await send({ 'content-type': String(type), 'content-encoding': coding }, payload);
    }
  }
});

const polluting = '{"__proto__":{"polluted":true,"roles":["admin"]}}';
const BROKEN_JSON: (string | Buffer)[] = [
  '{',
  '\ufeff{}',
  Buffer.from([0xff]),
  Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  Buffer.from('{"email":"a"}', 'utf16le'),
  polluting,
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":2}',
  '['.repeat(16_000),
  `${'['.repeat(8_000)}${']'.repeat(8_000)}`,
  `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
];
// `null` counts as no body on the two routes whose body is optional.
const MISFITS = ['true', '0', '"x"', '[]', '[{}]', '{"polluted":true}', '1e400'];
const BROKEN_FORMS: (string | Buffer)[] = [
  Buffer.from([0x61, 0x3d, 0xff]),
  'grant_type=%ff&token=%ff',
  'grant_type=%c0%af&token=%c0%af',
  'grant_type=%ed%a0%80&token=%ed%a0%80',
  'grant_type=%zz&token=%zz',
  'grant_type=%&token=%',
  'token=a&token=b&grant_type=x',
  'grant_type=refresh_token&grant_type=client_credentials&token=a&token=a',
  '__proto__=x',
  '__proto__[polluted]=true',
  'constructor[prototype][polluted]=true',
  'grant_type[]=client_credentials&token[]=x',
  '&&&===',
  '=',
  '\ufeffgrant_type=client_credentials',
  '{"grant_type":"client_credentials"}',
  'a=b&'.repeat(4_000),
];

t.test('API-02 API-03 API-04 an ambiguous body is refused on every route', async (t) => {
  for (const operation of withBody) {
    const { method, type } = operation;
    const send = async (payload: string | Buffer, statuses: number[]) => {
      const headers = { ...bearer, 'content-type': String(type) };
      const what = `${nameOf(operation)} ${String(payload).slice(0, 40)}`;
      const request = { method, url: urlOf(operation), payload, headers };
      const { statusCode } = await hostile(t, app, request, what);
      t.ok(statuses.includes(statusCode), `${what}: ${statusCode}`);
    };
    const isForm = type !== 'application/json';
    for (const payload of isForm ? BROKEN_FORMS : BROKEN_JSON) await send(payload, [400]);
    for (const payload of isForm ? [] : MISFITS) await send(payload, [422]);
    await send('a'.repeat(17_000), [413]);
    await send('a'.repeat(1_000_000), [413]);
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

t.test('AZN-03 no route accepts an undeclared member', async (t) => {
  const members = {
    role: 'admin',
    isAdmin: true,
    is_admin: true,
    id: before[0]?.id,
    kind: 'service',
    email_verified: true,
    email_verified_at: 1,
    emailVerified: true,
    password_hash: 'x',
    token_version: 9,
    sessions: [],
    throttle: [],
    mfa: {},
    row_version: 0,
  };
  for (const operation of withBody.filter(({ type }) => type === 'application/json')) {
    for (const [name, value] of Object.entries(members)) {
      const answer = await hostile(
        t,
        app,
        {
          method: operation.method,
          url: urlOf(operation),
          payload: payloadOf(operation, { [name]: value }),
          headers: { ...bearer, 'content-type': 'application/json' },
        },
        `${nameOf(operation)} ${name}`,
      );
      t.equal(answer.statusCode, 422, `${nameOf(operation)} ${name}`);
      const { errors } = answer.json<{ errors: { path: string; message: string }[] }>();
      t.match(
        errors.find(({ path }) => path === `/${name}`),
        { message: 'is not a known field' },
      );
    }
  }
});

/** Other spellings of a path, none of which may reach it. Dots: test/http/hostile-socket.test.ts. */
const variantsOf = (path: string): string[] => {
  const last = path.lastIndexOf('/');
  const [head, tail] = [path.slice(0, last), path.slice(last + 1)];
  return [
    `${path}/`,
    `/${path}`,
    `//${path}`,
    `${head}//${tail}`,
    `${head}%2f${tail}`,
    `${head}%5c${tail}`,
    `${path}%00`,
    `${path}%0a`,
    `${path}%20`,
    `${path};x=y`,
    `${path}.json`,
    `${path}%3f`,
    `${path}%23`,
    path.toUpperCase(),
    `${path}%`,
    `${path}%zz`,
    `${path}%c0%af`,
    `${path}%252f`,
    `${path}/${'a'.repeat(500)}`,
  ];
};

t.test(
  'API-13 a protected path has one spelling; all others are 404, with or without a token',
  async (t) => {
    for (const operation of guarded) {
      for (const url of variantsOf(urlOf(operation))) {
        // Any text can be an ID, so the route may still match: then it finds no user.
        const reached = operation.path.endsWith('}') ? [422] : [];
        for (const headers of [{}, bearer]) {
          const request = { method: operation.method, url, headers };
          const { statusCode } = await hostile(t, app, request, `${operation.method} ${url}`);
          const stranger = 'authorization' in headers ? [] : [401];
          const allowed = [400, 404, 405, ...reached, ...stranger];
          t.ok(allowed.includes(statusCode), `${operation.method} ${url}: ${statusCode}`);
        }
      }
    }
  },
);

t.test(
  'API-07 an unsupported method is refused, and no header can override the method',
  async (t) => {
    const odd = [
      'TRACE',
      'OPTIONS',
      'PROPFIND',
      'M-SEARCH',
      'PURGE',
      'LOCK',
      'MKCOL',
      'LINK',
      'QUERY',
    ];
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const takenBy = (one: string) =>
        operations.flatMap((o) => (o.path === one ? [String(o.method)] : []));
      const takes = takenBy(path);
      // To the router, the last part of `/v1/me/passkeys/options` can be an ID.
      const routed = [...takes, ...takenBy(path.replace(/(me\/passkeys)\/options$/, '$1/{id}'))];
      const methods = [...odd, 'POST', 'PUT', 'PATCH', 'DELETE'].filter((m) => !routed.includes(m));
      for (const method of methods) {
        const request = { method, url: urlOf({ path }), headers: bearer } as InjectOptions;
        const answer = await hostile(t, app, request, `${method} ${path}`);
        // QUERY has a body by definition, so its content type is checked before routing.
        t.equal(answer.statusCode, method === 'QUERY' ? 415 : 405, `${method} ${path}`);
        if (method !== 'QUERY') t.ok(takes.every((name) => answer.headers.allow?.includes(name)));
      }
      for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
        const request = { url: urlOf({ path }), headers: { [name]: 'DELETE' } };
        const statuses = takes.includes('GET') ? [200, 401, 404, 422] : [405];
        const { statusCode } = await hostile(t, app, request, `${name} ${path}`);
        t.ok(statuses.includes(statusCode), `${name} ${path}: ${statusCode}`);
      }
    }
    for (const name of [
      'x-original-url',
      'x-rewrite-url',
      'x-forwarded-prefix',
      'x-forwarded-host',
    ]) {
      const { payload } = await hostile(
        t,
        app,
        { url: '/livez', headers: { [name]: '/v1/me' } },
        name,
      );
      t.equal(payload, '{"status":"ok"}');
    }
  },
);

const TRICKS = [
  'limit=1&limit=2',
  'limit[]=1',
  'limit[a]=1',
  'a[b]=c',
  'limit=1&limit[]=2',
  'limit=-1',
  'limit=0',
  'limit=101',
  'limit=1e2',
  'limit=1.5',
  'limit=%31%00',
  'limit=٣',
  'limit=1000000000',
  'cursor=x',
  'cursor=1&cursor=2',
  "cursor=' or 1=1--",
  'cursor=00000000-0000-0000-0000-00000000000g',
  'sort=password_hash',
  '__proto__=x',
  '__proto__[limit]=1',
  'constructor=1',
  'toString=1',
];

t.test(
  'API-14 AZN-07 an undeclared query is refused, and parameters keep their type',
  async (t) => {
    for (const operation of operations.filter(({ query }) => query.length > 0)) {
      // Another word than the number of a provider is the path of no route.
      const url = urlOf(operation, '1');
      for (const trick of TRICKS) {
        const request = {
          url: `${url}?${encodeURI(trick).replaceAll('%25', '%')}`,
          headers: bearer,
        };
        const { statusCode } = await hostile(t, app, request, `${url}?${trick}`);
        t.equal(statusCode, 422, `${url}?${trick}`);
      }
    }
    for (const path of ['/livez', '/v1/whoami', '/v1/me/sessions']) {
      for (const trick of TRICKS) {
        const { statusCode } = await app.inject({
          url: encodeURI(`${path}?${trick}`),
          headers: bearer,
        });
        t.equal(statusCode, 200, 'an unread query changes nothing');
      }
    }
  },
);

t.test('API-08 forwarding headers from an untrusted client change nothing', async (t) => {
  for (const headers of [
    { 'x-forwarded-for': '203.0.113.1' },
    { 'x-forwarded-for': 'CANARY' },
    { 'x-real-ip': '203.0.113.1' },
    { 'x-client-ip': '203.0.113.1' },
    { 'cf-connecting-ip': '203.0.113.1' },
    { forwarded: 'for=203.0.113.1;host=evil.example;proto=http' },
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-proto': 'http' },
    { host: 'evil.example' },
  ] as Record<string, string>[]) {
    const answer = await hostile(t, app, { url: '/nope', headers }, JSON.stringify(headers));
    t.equal(answer.statusCode, 404);
    t.notMatch(JSON.stringify([answer.headers, answer.json()]), /evil|203\.0/);
    t.equal(app.logs.at(-1)?.['ip'], '127.0.0.1');
  }
});

t.test(
  'ERR-05 afterwards no row has changed, no event was logged, and the service answers',
  async (t) => {
    t.same(await rows(), before);
    t.same(
      app.events().filter((event) => event !== 'client.refused'),
      [],
    );
    t.equal((await app.inject({ url: '/readyz' })).statusCode, 200);
  },
);
