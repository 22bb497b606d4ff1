import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { checkUsage, readCheckCommand } from '../../src/commands/check/usage.ts';
import { newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { nodeCommand } from '../child.ts';
import { freePort } from '../free-port.ts';
import { PASSWORD } from '../test-app.ts';
import { findings } from './check/check-line.ts';
import {
  deployed,
  type Fault,
  onPath,
  type Passing,
  proxy,
  withMembers,
} from './check/deployment.ts';

const EMAIL = 'ada@example.com';
const APP = 'https://app.example.com';
const ACCOUNT = ['--email', EMAIL];
const ALL = [...ACCOUNT, '--origin', APP, '--mail', EMAIL];

const front = await proxy(t);
const app = await deployed(t, front);
await app.signUp(EMAIL);

const KEYS = '/.well-known/jwks.json';
const METADATA = '/.well-known/oauth-authorization-server';

t.test('a good deployment is all ok, and nothing secret is printed', async (t) => {
  const secrets = new Set([PASSWORD]);
  front.fault = {
    back: ({ body, headers }) => {
      for (const cookie of [headers['set-cookie'] ?? []].flat())
        secrets.add(String(/=([^;]*)/.exec(cookie)?.[1]));
      for (const [, token = ''] of String(body).matchAll(/_token": ?"([^"]+)"/g))
        secrets.add(token);
    },
  };
  const { code, out, found, bad, err, said } = await findings([
    front.origin,
    ...ALL,
    '--fuzz',
    '--requests',
    '300',
  ]);
  t.same(bad, [], said);
  t.equal(code, 0);
  t.same(
    found.filter(({ state }) => state === 'skipped').map(({ check }) => check),
    ['plain-http'],
  );
  // A cookie that is removed is empty.
  secrets.delete('');
  t.ok(secrets.size >= 6, 'tokens were seen');
  for (const secret of secrets) t.notOk(out.includes(secret));
  t.equal(err, '', 'no progress bar without a terminal');
  t.notOk(app.events().includes('session.reuse_detected'));
});

t.test('without an account it changes nothing', async (t) => {
  front.fault = {};
  const before = await app.context.users.list({ kind: 'person', limit: 10 });
  const { bad, found } = await findings([
    front.origin,
    '--fuzz',
    '--requests',
    '400',
    '--seed',
    '7',
  ]);
  t.same(bad, []);
  t.match(
    found.find(({ check }) => check === 'sign-in'),
    { state: 'skipped', says: 'give --email to try an account' },
  );
  t.same(await app.context.users.list({ kind: 'person', limit: 10 }), before);
});

const html = (passing: Passing) => {
  passing.headers['content-type'] = 'text/html';
  passing.body = Buffer.from('<h1>Oops</h1>');
};
const without = (...names: string[]): Fault => ({
  back: ({ headers }) => {
    for (const name of names) delete headers[name];
  },
});
const everywhere = (back: (passing: Passing) => unknown): Fault => ({ back });
const withCookies = (change: (cookie: string) => string): Fault =>
  everywhere(({ headers }) => {
    const { 'set-cookie': cookies } = headers;
    if (cookies) headers['set-cookie'] = [cookies].flat().map(change);
  });
const withKeys = (change: (keys: Record<string, unknown>[]) => unknown[]): Fault =>
  onPath(KEYS, (passing) => {
    const { keys } = JSON.parse(String(passing.body));
    withMembers(passing, { keys: change(keys) });
  });
const otherKey = () => {
  const { d: _d, nbf: _nbf, ...key } = newSigningKey('ES256', 0);
  return { ...key, use: 'sig', alg: 'ES256' };
};
const dated = (seconds: number) =>
  everywhere(({ headers }) => {
    headers['date'] = new Date(Date.now() + seconds * 1_000).toUTCString();
  });
const withStatus = (status: number) => (passing: Passing) => {
  passing.status = status;
};

const kept = new Map<string, Passing>();

/** What the proxy does wrong, and every check that complains. */
const FAULTS: [what: string, fault: Fault, complaints: string[], says: RegExp][] = [
  [
    'strips a security header',
    without('content-security-policy'),
    ['security-headers wrong'],
    /content-security-policy is undefined/,
  ],
  [
    'lets browsers keep answers',
    onPath('/v1/whoami', ({ headers }) => {
      headers['cache-control'] = 'private';
    }),
    ['security-headers wrong'],
    /cache-control of \/v1\/whoami is private/,
  ],
  ['strips Vary', without('vary'), ['security-headers wrong'], /vary/],
  [
    'names itself',
    everywhere(({ headers }) => {
      headers['server'] = 'nginx/1.2';
    }),
    ['server-names wrong'],
    /server: nginx\/1.2/,
  ],
  [
    'compresses',
    everywhere((passing) => {
      if (passing.body.length === 0) return;
      const isGzip = passing.method === 'GET';
      passing.body = isGzip ? gzipSync(passing.body) : brotliCompressSync(passing.body);
      passing.headers['content-encoding'] = isGzip ? 'gzip' : 'br';
    }),
    ['compression wrong'],
    /answers are compressed, such as POST/,
  ],
  [
    'rewrites Host',
    {
      there: (headers) => {
        headers.host = 'backend';
      },
    },
    ['host warning'],
    /the proxy replaces it/,
  ],
  [
    'builds addresses from Host',
    onPath(METADATA, (passing) => {
      passing.body = Buffer.from(
        String(passing.body).replaceAll(new URL(front.origin).host, String(passing.asked.host)),
      );
    }),
    ['host wrong'],
    /gets into the answer/,
  ],
  [
    'has a clock that is ahead',
    dated(60),
    ['clock wrong'],
    /the Date header is (59|60) seconds off/,
  ],
  ['has a clock that is behind', dated(-60), ['clock wrong'], /-(59|60) seconds off/],
  ['sends no Date', without('date'), ['clock wrong'], /no Date/],
  [
    'shows its own error pages',
    everywhere((passing) => passing.status >= 400 && html(passing)),
    ['problems wrong'],
    /404 as text\/html/,
  ],
  [
    'changes a status',
    everywhere((passing) => passing.status === 405 && withStatus(404)(passing)),
    ['problems wrong'],
    /a wrong method: 404 instead of 405/,
  ],
  ['strips Allow', without('allow'), ['allow wrong'], /undefined/],
  [
    'keeps refusals',
    onPath('/v1/no-such-path', (passing) => withMembers(passing, { instance: 'same' })),
    ['request-id wrong'],
    /same request ID/,
  ],
  [
    'strips WWW-Authenticate',
    without('www-authenticate'),
    ['bad-tokens wrong'],
    /lacks WWW-Authenticate/,
  ],
  [
    'accepts unsigned tokens',
    onPath(
      '/v1/whoami',
      (passing) => String(passing.asked.authorization).endsWith('.') && withStatus(200)(passing),
    ),
    ['bad-tokens wrong', 'document wrong'],
    /alg: none is answered 200/,
  ],
  [
    'lets everybody in',
    onPath('/v1/whoami', (passing) => {
      if (!passing.asked.authorization) {
        passing.status = 204;
        passing.body = Buffer.alloc(0);
      }
    }),
    ['bad-tokens wrong', 'document wrong'],
    /without a token, \/v1\/whoami answers 204/,
  ],
  [
    'says why a token is bad',
    onPath(
      '/v1/whoami',
      (passing) =>
        String(passing.asked.authorization).endsWith('xxx') &&
        withMembers(passing, { detail: 'It is too long.' }),
    ),
    ['bad-tokens wrong'],
    /tell bad tokens apart/,
  ],
  [
    'drops cookie attributes',
    withCookies((cookie) => cookie.replace('; HttpOnly', '').replace('Path=/v1', 'Path=/')),
    ['cookies wrong'],
    /lacks HttpOnly; .*lacks Path=\/v1/,
  ],
  [
    'gives cookies a domain',
    withCookies((cookie) => `${cookie}; Domain=example.com`),
    ['cookies wrong'],
    /has a Domain/,
  ],
  [
    'renames a cookie',
    withCookies((cookie) => cookie.replace('__Secure-latchkey_device', 'device')),
    ['cookies wrong'],
    /latchkey_device is missing/,
  ],
  [
    'drops the Origin of requests with cookies',
    {
      there: (headers) => {
        if (headers.cookie) delete headers.origin;
      },
    },
    ['cookies wrong'],
    /a sign-out with the cookie is answered 403/,
  ],
  [
    'adds the CORS header *',
    everywhere(({ headers }) => {
      headers['access-control-allow-origin'] = '*';
    }),
    ['cors-strangers wrong'],
    /a foreign page gets Access-Control-Allow-Origin: \*/,
  ],
  [
    'strips CORS headers',
    without('access-control-expose-headers', 'access-control-allow-credentials'),
    [`cors ${APP} wrong`],
    /Credentials is not true/,
  ],
  [
    'answers preflights itself',
    everywhere((passing) => {
      if (passing.method === 'OPTIONS') {
        passing.status = 405;
        passing.headers = { ...passing.headers, 'access-control-allow-headers': 'Authorization' };
      }
    }),
    [`cors ${APP} wrong`],
    /the preflight is answered 405; .*lacks content-type/,
  ],
  [
    'keeps an old key set',
    withKeys(() => [otherKey()]),
    ['access-token wrong'],
    /lacks the key of a new token/,
  ],
  [
    'serves a key under a wrong name',
    withKeys(([key]) => [{ ...key, kid: 'x' }]),
    ['key-set wrong'],
    /thumbprint/,
  ],
  [
    'serves a private key',
    withKeys(([key]) => [{ ...key, d: 'x' }]),
    ['key-set wrong', 'document wrong'],
    /PRIVATE/,
  ],
  [
    'serves a page for the key set',
    onPath(KEYS, html),
    ['key-set wrong', 'document wrong'],
    /no key/,
  ],
  ['serves no keys', withKeys(() => []), ['key-set warning', 'access-token wrong'], /it is empty/],
  [
    'serves too many keys',
    withKeys((keys) => [...keys, ...Array.from({ length: 100 }, otherKey)]),
    ['key-set wrong'],
    /bytes/,
  ],
  [
    'keeps the key set for a day',
    onPath(KEYS, ({ headers }) => {
      headers['cache-control'] = 'public, max-age=86400';
    }),
    ['key-cache warning'],
    /86400/,
  ],
  [
    'serves an aged key set',
    onPath(KEYS, ({ headers }) => {
      headers['age'] = '4000';
    }),
    ['key-cache warning'],
    /4000 seconds old/,
  ],
  [
    'damages tokens',
    onPath('/v1/login', (passing) => {
      if (passing.status !== 200) return;
      const { access_token } = JSON.parse(String(passing.body));

      withMembers(passing, { access_token: `${access_token.slice(0, -6)}AAAAAA` });
    }),
    ['access-token wrong'],
    /does not verify a new token; \/v1\/whoami answers 401/,
  ],
  [
    'mixes up users',
    onPath(
      '/v1/whoami',
      (passing) => passing.status === 200 && withMembers(passing, { sub: 'other' }),
    ),
    ['access-token wrong'],
    /other claims/,
  ],
  ['says that it is a website', onPath('/livez', html), ['live wrong'], /\/livez answers 200/],
  [
    'has a database that is down',
    onPath('/readyz', (passing) => {
      passing.status = 503;
      passing.headers['retry-after'] = '1';
      withMembers(passing, { status: 'failing', database: 'failing' });
    }),
    ['ready wrong'],
    /failing: database/,
  ],
  [
    'leads to a node that shuts down',
    onPath('/readyz', (passing) => {
      passing.status = 503;
      passing.headers['retry-after'] = '1';
      withMembers(passing, { status: 'failing' });
    }),
    ['ready wrong'],
    /shutting down/,
  ],
  ['loses an answer', onPath('/readyz', () => 'lost'), ['ready wrong'], /no answer: ECONNRESET/],
  [
    'serves an older version',
    onPath('/openapi.yaml', (passing) => {
      passing.body = Buffer.from(String(passing.body).replace('\n  /v1/login:', '\n  /v1/enter:'));
    }),
    ['openapi warning'],
    /another version.*; only there: POST \/v1\/enter; only here: POST \/v1\/login/,
  ],
  [
    'serves a changed document',
    onPath('/openapi.yaml', (passing) => {
      passing.body = Buffer.concat([passing.body, Buffer.from('x-more: 1\n')]);
    }),
    ['openapi warning'],
    /a changed document$/,
  ],
  [
    'hides the document',
    onPath('/openapi.yaml', (passing) => {
      passing.status = 404;
    }),
    ['openapi wrong'],
    /answers 404/,
  ],
  [
    'serves another page for the document',
    onPath('/openapi.yaml', html),
    ['openapi wrong'],
    /answers 200, without the document/,
  ],
  [
    'hides the metadata',
    onPath(METADATA, (passing) => {
      passing.status = 404;
    }),
    ['metadata wrong', 'document wrong'],
    /answers 404/,
  ],
  [
    'strips the rate-limit headers',
    without('ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'),
    ['rate-limits warning'],
    /ratelimit-limit/,
  ],
  [
    'passes X-Forwarded-For on',
    {
      there: (headers, from) => {
        if (from['x-forwarded-for']) headers['x-forwarded-for'] = from['x-forwarded-for'];
      },
    },
    ['forwarded-for wrong'],
    /nobody is limited/,
  ],
  [
    'answers sign-ins with a page',
    onPath('/v1/login', (passing) => passing.status === 200 && html(passing)),
    ['sign-in wrong', 'document wrong'],
    /200 without an access token/,
  ],
  [
    'cannot sign in twice',
    onPath('/v1/login', (passing) => passing.headers['set-cookie'] && html(passing)),
    ['cookies wrong', 'document wrong'],
    /the second sign-in is answered 200/,
  ],
  [
    'puts the refresh token into the body',
    onPath(
      '/v1/login',
      (passing) => passing.headers['set-cookie'] && withMembers(passing, { refresh_token: 'x' }),
    ),
    ['cookies wrong'],
    /also in the body/,
  ],
  [
    'gives each refresh another token',
    onPath(
      '/v1/refresh',
      (passing) => passing.status === 200 && withMembers(passing, { refresh_token: randomUUID() }),
    ),
    ['refresh wrong'],
    /got another token/,
  ],
  [
    'loses refreshes',
    onPath('/v1/refresh', (passing) => {
      html(passing);
    }),
    ['refresh wrong', 'document wrong'],
    /a refresh is answered 200/,
  ],
  [
    'keeps whoami',
    onPath('/v1/whoami', (passing) => {
      const token = String(passing.asked.authorization);
      const { status, body, headers } = kept.get(token) ?? passing;
      if (status === 200 && !kept.has(token)) kept.set(token, { ...passing });
      Object.assign(passing, { status, body, headers });
    }),
    ['sign-out wrong'],
    /still accepted/,
  ],
  [
    'refuses sign-outs',
    onPath(
      '/v1/logout',
      (passing) => passing.asked.authorization && html(Object.assign(passing, { status: 200 })),
    ),
    ['sign-out wrong', 'document wrong'],
    /the sign-out is answered 200/,
  ],
  [
    'sends no mail',
    onPath('/v1/password/forgot', (passing) => {
      passing.status = 404;
    }),
    ['mail wrong', 'document wrong'],
    /answered 404/,
  ],
  [
    'adds a member',
    onPath('/v1/refresh', (passing) => withMembers(passing, { more: 1 })),
    ['document wrong'],
    /POST \/v1\/refresh: the answer 200 \/: Unrecognized key/,
  ],
];

for (const [what, fault, complaints, says] of FAULTS) {
  t.test(`a proxy that ${what}`, async (t) => {
    front.fault = fault;
    const { code, bad, found, said } = await findings([front.origin, ...ALL]);
    t.same(bad, complaints, said);
    const [first = ''] = complaints;
    const named = found.find(({ check }) => first.startsWith(check));
    t.match(named?.says, says);
    t.ok(named?.mend, 'and says how to mend it');
    t.equal(code, complaints.some((complaint) => complaint.endsWith('wrong')) ? 1 : 0);
  });
}

/** The command in a process of its own. */
async function run(args: string[], options: { preload?: string; isMeasured?: boolean } = {}) {
  const preload = options.preload
    ? ['--import', `data:text/javascript,${encodeURIComponent(options.preload)}`]
    : [];
  const command = nodeCommand(
    [...preload, 'src/commands/latchkey.ts', 'check', ...args],
    options.isMeasured,
  );
  const child = spawn(...command, { env: { ...process.env, LATCHKEY_PASSWORD: PASSWORD } });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

t.test('the exit code says how it ended', async (t) => {
  front.fault = {};
  const measured = { isMeasured: true };
  const good = await run([front.origin, ...ACCOUNT], measured);
  t.match(good, { code: 0, stdout: /0 wrong/, stderr: '' });
  front.fault = without('x-frame-options');
  t.match(await run([front.origin], measured), { code: 1, stdout: /1 wrong/ });
  t.match(await run([], measured), { code: 64, stderr: /^One URL is needed/ });
  t.match(await run([front.origin, '--ca', 'no-such-file.pem'], measured), {
    code: 66,
    stderr: /ENOENT/,
  });
  const closed = `http://127.0.0.1:${await freePort()}`;
  t.match(await run([closed], measured), {
    code: 69,
    stderr: `${closed} cannot be reached: ECONNREFUSED\n`,
  });
  t.match(await run(['--help'], measured), { code: 0, stdout: checkUsage('latchkey check') });
  const preload = 'process.stdout.write = () => { throw new Error("planted"); }';
  t.match(await run(['--help'], { preload, ...measured }), {
    code: 70,
    stderr: /Error: planted\n +at /,
  });
});

t.test('a wrong command line is explained', async (t) => {
  for (const [words, message] of [
    [[], /One URL is needed/],
    [['https://a.example', 'https://b.example'], /One URL is needed/],
    [['a.example'], /URL must be a URL/],
    [['ftp://a.example'], /http or https/],
    [['https://user:secret@a.example'], /no user, query or fragment/],
    [['https://a.example/?x=1'], /no user, query or fragment/],
    [
      ['https://a.example', '--origin', 'https://App.example.com/'],
      /as browsers send it: https:\/\/app.example.com/,
    ],
    [['https://a.example', '--requests', '-1'], /--requests|ambiguous/],
    [['https://a.example', '--requests', '2000000'], /up to 1000000/],
    [['https://a.example', '--seed', 'x'], /--seed must be a whole number/],
    [['https://a.example', '--password', 'x'], /Unknown option '--password'/],
  ] as const)
    t.throws(() => readCheckCommand([...words], 'latchkey check'), { message }, words.join(' '));
  t.match(
    readCheckCommand(
      ['https://a.example', '--fuzz', '--seed', '3', '--plain-http', 'http://a.example'],
      'latchkey check',
    ),
    {
      requests: 500,
      seed: 3,
      origins: [],
      plainHttp: new URL('http://a.example'),
    },
  );
});
