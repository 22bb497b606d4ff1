import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../src/app.ts';
import type { Access } from '../../src/http/access.ts';
import { registerOAuth } from '../../src/http/oauth.ts';
import { newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { operations } from '../operations.ts';
import { basic, serviceAccount, serviceAccountToken, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { keysFor, PASSWORD, testApp } from '../test-app.ts';

const { app, inject, as, signUp, login, context, clock, logs } = await testApp(t);
const jwks = JSON.stringify(context.keys.publicKeys(clock.now));
const { access_token, refresh_token, device_token } = await signUp();
const jwk = (JSON.parse(keysFor('ES256')) as { keys: [PrivateJwk] }).keys[0];

type Claims = Record<string, unknown>;
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (segment = '') => JSON.parse(Buffer.from(segment, 'base64url').toString());
const [HEADER, CLAIMS, SIGNATURE] = access_token.split('.') as [string, string, string];
const header: Claims = decode(HEADER);
const claims: Claims = decode(CLAIMS);

const es256 = (text: string, key = jwk) => {
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  return sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
};
/** A token signed with the real key, so that only the changed trait can cause a refusal. */
const forge = (changedClaims: Claims | string, changedHeader: Claims = {}) => {
  const payload =
    typeof changedClaims === 'string' ? changedClaims : { ...claims, ...changedClaims };
  const text = `${encode({ ...header, ...changedHeader })}.${encode(payload)}`;
  return `${text}.${es256(text).toString('base64url')}`;
};
const hmac = (secret: string, kid: unknown = header['kid']) => {
  const text = `${encode({ ...header, alg: 'HS256', kid })}.${CLAIMS}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const now = clock.now / 1_000;

const flipped = `${HEADER}.${CLAIMS}.${SIGNATURE.startsWith('A') ? 'B' : 'A'}${SIGNATURE.slice(1)}`;
const otherSignature = es256(`${HEADER}.${CLAIMS}`, newSigningKey('ES256', 0)).toString(
  'base64url',
);
const lastOf = (text: string) => text.at(-1) as string;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const sameBytes = ALPHABET[ALPHABET.indexOf(lastOf(SIGNATURE)) ^ 1];

const bad: Record<string, string> = {
  'no token': 'x',
  'two segments': `${HEADER}.${CLAIMS}`,
  'four segments': `${access_token}.x`,
  'three empty segments': '..',
  'no claims': `${HEADER}..${SIGNATURE}`,
  'no signature': `${HEADER}.${CLAIMS}.`,
  'a flipped signature': flipped,
  'a short signature': access_token.slice(0, -8),
  'a padded signature': `${access_token}==`,
  'unused bits set': `${access_token.slice(0, -1)}${sameBytes}`,
  'another key under our kid': `${HEADER}.${CLAIMS}.${otherSignature}`,
  'alg none': `${encode({ ...header, alg: 'none' })}.${CLAIMS}.`,
  'alg None, signed': forge({}, { alg: 'None' }),
  'alg ES384': forge({}, { alg: 'ES384' }),
  'HS256 with the public PEM': hmac(pem),
  'HS256 with the PEM, trimmed': hmac(pem.trim()),
  'HS256 with the key set': hmac(jwks),
  'HS256 with the empty key, unknown kid': hmac('', 'unknown'),
  'an unknown kid': forge({}, { kid: 'unknown' }),
  'a kid that is a path': forge({}, { kid: '../../dev/null' }),
  'no kid': forge({}, { kid: undefined }),
  'typ JWT': forge({}, { typ: 'JWT' }),
  'typ in capitals': forge({}, { typ: 'AT+JWT' }),
  'no typ': forge({}, { typ: undefined }),
  crit: forge({}, { crit: ['exp'] }),
  b64: forge({}, { b64: false }),
  zip: forge({}, { zip: 'DEF' }),
  'a key of its own': forge({}, { jwk: publicKey.export({ format: 'jwk' }) }),
  'a key elsewhere': forge({}, { jku: 'https://evil.example/jwks.json' }),
  'another issuer': forge({ iss: 'https://evil.example' }),
  'issuers, ours among them': forge({ iss: ['https://evil.example', claims['iss']] }),
  'another audience': forge({ aud: 'https://evil.example' }),
  'audiences, ours among them': forge({ aud: [claims['aud']] }),
  'a number for a subject': forge({ sub: 1 }),
  'an empty subject': forge({ sub: '' }),
  'roles that are no list': forge({ roles: 'admin' }),
  'an unknown claim': forge({ admin: true }),
  'exp as text': forge({ exp: `${now + 900}` }),
  'exp between seconds': forge({ exp: now + 899.5 }),
  'exp in milliseconds': forge({ exp: (now + 900) * 1_000 }),
  'exp below zero': forge({ exp: -1 }),
  'iat in the future': forge({ iat: now + 6, exp: now + 900 }),
  'nbf in the future': forge({ nbf: now + 6 }),
  'a life of 901 seconds': forge({ exp: now + 901 }),
  'claims that are a list': forge('[]'),
  'claims that are null': forge('null'),
  'claims twice': forge(JSON.stringify(claims).replace('{', '{"sub":"x",')),
  'claims with white space': forge(` ${JSON.stringify(claims)}`),
  'claims with a BOM': forge(`\ufeff${JSON.stringify(claims)}`),
  'a refresh token': refresh_token,
  'a device token': device_token,
  'over 4 KB': forge({ sub: 'a'.repeat(4_096) }),
  'two tokens': `${access_token} ${access_token}`,
  'a comma': `${access_token},${access_token}`,
  'a credential within a credential': `x Bearer ${access_token}`,
  'a leading space': ` ${access_token}`,
  'a tab': `\t${access_token}`,
  nothing: '',
};
for (const name of Object.keys(claims)) bad[`no ${name}`] = forge({ [name]: undefined });

t.test('the forger makes valid tokens', async (t) => {
  t.equal((await as(forge({}), { url: '/v1/whoami' })).statusCode, 200);
  t.equal((await as(forge({ nbf: now + 5 }), { url: '/v1/whoami' })).statusCode, 200);
  const ahead = forge({ iat: now + 5, exp: now + 905 });
  t.equal((await as(ahead, { url: '/v1/whoami' })).statusCode, 200);
});

t.test(
  'BEA-03 every kind of bad token gets an identical response, and the log has the reason',
  async (t) => {
    const shape = (answer: Awaited<ReturnType<typeof inject>>) => ({
      status: answer.statusCode,
      headers: { ...answer.headers, date: '' },
      payload: answer.payload.replace(/"instance":"[^"]{10,12}"/, ''),
    });
    const first = shape(await as('x.y.z', { url: '/v1/me', headers: {} }));
    t.match(first, {
      status: 401,
      headers: {
        'www-authenticate':
          'Bearer realm="Latchkey", error="invalid_token", error_description="The token is not an access token of this service."',
        'cache-control': 'no-store',
      },
      payload: '"code":"token_invalid"',
    });
    for (const [kind, token] of Object.entries(bad)) {
      const { headers, ...answer } = shape(await as(token, { url: '/v1/me' }));
      // Only the length of the request ID, a counter, may differ.
      t.same(answer, { status: 401, payload: first.payload }, kind);
      const length = { 'content-length': '' };
      t.same({ ...headers, ...length }, { ...first.headers, ...length }, kind);
      t.match(logs.at(-1), { code: 'token_invalid', reason: /\w/, status: 401 }, kind);
    }
  },
);

t.test('only an otherwise valid token is reported as expired or revoked', async (t) => {
  const expired = { iat: now - 900, exp: now };
  const answer = await as(forge(expired), { url: '/v1/me' });
  refused(t, answer, 401, 'token_expired');
  t.match(answer.headers['www-authenticate'], /error="invalid_token", error_description="The acc/);
  const ended = (await login()).json();
  await as(ended.access_token, { method: 'POST', url: '/v1/logout' });
  for (const url of ['/v1/me', '/v1/whoami'])
    refused(t, await as(ended.access_token, { url }), 401, 'token_revoked');
  const broken = `${ended.access_token.slice(0, -8)}AAAAAAAA`;
  refused(t, await as(broken, { url: '/v1/me' }), 401, 'token_invalid');
  const longGone = { ...expired, aud: 'https://evil.example' };
  refused(t, await as(forge(longGone), { url: '/v1/me' }), 401, 'token_invalid');
});

t.test('TOK-18 a repeated token, bad or good, gets the same answer each time', async (t) => {
  for (let call = 0; call < 10; call += 1) {
    t.equal((await as(flipped, { url: '/v1/whoami' })).statusCode, 401);
    t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  }
});

t.test('BEA-06 the scheme is case-insensitive', async (t) => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const authorization = `${scheme} ${access_token}`;
    const answer = await inject({ url: '/v1/whoami', headers: { authorization } });
    t.equal(answer.statusCode, 200);
  }
});

t.test('BEA-06 only a space may separate the scheme from the token', async (t) => {
  for (const authorization of ['Bearer', `Bearer\t${access_token}`, `bearer=${access_token}`]) {
    const answer = await inject({ url: '/v1/whoami', headers: { authorization } });
    refused(t, answer, 401, 'token_invalid');
  }
  const authorization = `Bearers ${access_token}`;
  const answer = await inject({ url: '/v1/whoami', headers: { authorization } });
  refused(t, answer, 401, 'token_missing');
});

t.test('BEA-01 BEA-02 a token outside the header is ignored', async (t) => {
  for (const request of [
    { url: '/v1/me' },
    { url: `/v1/me?access_token=${access_token}` },
    { url: '/v1/me', headers: { cookie: `access_token=${access_token}; token=${access_token}` } },
    { url: '/v1/me', headers: { 'x-access-token': access_token } },
    { url: '/v1/me', headers: { authorization: access_token } },
    { url: '/v1/me', headers: { authorization: `Basic ${access_token}` } },
    { url: '/v1/me', headers: { authorization: `Bearer2 ${access_token}` } },
    { url: '/v1/me', headers: { authorization: `Basic x, Bearer ${access_token}` } },
    { url: '/v1/me', headers: { authorization: '' } },
  ] as const) {
    const answer = await inject(request);
    refused(t, answer, 401, 'token_missing');
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="Latchkey"');
  }
});

t.test(
  'AZN-01 the service does not start with a route that does not declare its access',
  async (t) => {
    const other = await buildApp(context, { logger: pino({ level: 'silent' }) });
    t.throws(() => other.get('/v1/forgotten', async () => ({})), {
      message: 'GET /v1/forgotten does not declare config.access: who may call it?',
    });
    await other.close();
  },
);

t.test(
  'AZN-01 every access level is enforced before the handler, or is named as checked by it',
  async (t) => {
    const words: Record<string, { access: Access; anonymous: number }> = {
      public: { access: 'public', anonymous: 200 },
      handler: { access: 'checked-by-handler', anonymous: 200 },
      bearer: { access: 'bearer', anonymous: 401 },
      person: { access: 'person', anonymous: 401 },
      role: { access: { role: 'editor' }, anonymous: 401 },
      client: { access: 'client', anonymous: 401 },
    };
    const other = await buildApp(context, { logger: pino({ level: 'silent' }) });
    const outside = () =>
      other.post('/v1/try/client', { config: { access: 'client' } }, async () => ({}));
    t.throws(outside, { message: "/v1/try/client: access 'client' is for OAuth routes only" });
    other.register(async (scope) => {
      registerOAuth(scope, context);
      for (const [name, { access }] of Object.entries(words)) {
        const schema = { consumes: ['application/x-www-form-urlencoded'] };
        scope.post(`/try/${name}`, { config: { access }, schema }, async ({ client }) => ({
          client: client?.id,
        }));
      }
    });
    const ask = (name: string, headers = {}) =>
      other.inject({
        method: 'POST',
        url: `/try/${name}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        payload: 'a=b',
      });
    for (const [name, { anonymous }] of Object.entries(words))
      t.equal((await ask(name)).statusCode, anonymous, name);
    const client = await serviceAccount({ context });
    t.same((await ask('client', basic(client))).json(), { client: client.id });
    t.equal((await ask('client', basic({ ...client, secret: 'x' }))).statusCode, 401);
    await other.close();
  },
);

t.test('AZN-01 a route’s own preHandlers run after its guard, and all of them run', async (t) => {
  const other = await buildApp(context, { logger: pino({ level: 'silent' }) });
  const seen: string[] = [];
  const preHandler = async ({ caller }: { caller: { sub: string } }) => {
    seen.push(caller.sub);
  };
  const routes = { '/v1/one': preHandler, '/v1/two': [preHandler, preHandler] };
  for (const [url, own] of Object.entries(routes)) {
    const options = { config: { access: 'bearer' }, preHandler: own };
    other.get(url, options as object, async () => ({}));
  }
  const authorization = `Bearer ${access_token}`;
  for (const url of Object.keys(routes)) {
    t.equal((await other.inject({ url })).statusCode, 401);
    t.same(seen, [], 'refused callers do not get that far');
    t.equal((await other.inject({ url, headers: { authorization } })).statusCode, 200);
    t.same(new Set(seen.splice(0)), new Set([claims['sub']]));
  }
  await other.close();
});

t.test(
  "a machine's token opens what is for any bearer, and nothing that is for people",
  async (t) => {
    const own = await testApp(t);
    const client = await serviceAccount(own, ['admin']);
    const token = await serviceAccountToken(own, client);
    t.equal((await own.as(token, { url: '/v1/whoami' })).statusCode, 200);
    const { detail } = refused(t, await own.as(token, { url: '/v1/me' }), 403, 'forbidden');
    t.equal(detail, 'Service accounts cannot use this route.');
    t.equal(
      (await own.as(token, { url: '/v1/users' })).statusCode,
      200,
      'a service account with the role is allowed',
    );
    const person = await signedIn(own, 'eve@example.com');
    t.equal((await own.as(person.access_token, { url: '/v1/me' })).statusCode, 200);
  },
);

t.test('TOK-18 alternating callers are never mixed up, cached or not', async (t) => {
  const people = [await signUp('eve@example.com'), await signUp('eva@example.com')];
  const ids = new Set<string>();
  for (let turn = 0; turn < 3; turn += 1) {
    for (const { access_token, session_id } of people) {
      const caller = (await as(access_token, { url: '/v1/whoami' })).json();
      t.equal(caller.sid, session_id);
      t.equal(caller.sub, decode(access_token.split('.')[1]).sub);
      ids.add(caller.sub);
    }
  }
  t.equal(ids.size, 2);
});

t.test('TOK-19 request data never gets into a token', async (t) => {
  const wishes: Record<string, unknown> = {
    ...{ iat: 1, exp: now + 1e6, nbf: 0, sub: 'root', iss: 'evil', aud: 'evil', jti: 'mine' },
    ...{ roles: ['admin'], role: 'admin', amr: ['mfa'], ver: 9, sid: 'mine', client_id: 'evil' },
    ...{ auth_time: 1, kid: 'mine', alg: 'none', typ: 'JWT', header: { alg: 'none' }, cnf: {} },
  };
  const body = { email: 'ada@example.com', password: PASSWORD };
  for (const [name, value] of Object.entries(wishes)) {
    for (const [url, proof] of [
      ['/v1/login', body],
      ['/v1/register', { ...body, email: 'new@example.com' }],
      ['/v1/refresh', { refresh_token }],
    ] as const) {
      const answer = await inject({ method: 'POST', url, payload: { ...proof, [name]: value } });
      refused(t, answer, 422, 'invalid_input');
    }
  }
  const query = new URLSearchParams(
    Object.entries(wishes).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const answer = await app.inject({
    method: 'POST',
    url: `/v1/login?${query}`,
    headers: { roles: 'admin', 'x-auth-roles': 'admin', 'x-auth-subject': 'root' },
    payload: body,
  });
  t.equal(answer.statusCode, 200, 'a sign-in ignores the query');
  const [head, payload] = answer.json().access_token.split('.');
  const { jti, sid } = decode(payload);
  t.same(decode(head), header);
  t.same({ ...decode(payload), jti: '', sid: '' }, { ...claims, jti: '', sid: '' });
  t.not(jti, wishes['jti']);
  t.not(sid, wishes['sid']);
});

t.test('BEA-08 no answer to a caller may be cached', async (t) => {
  const guarded = operations.filter(({ bearer }) => bearer);
  t.ok(guarded.length > 20);
  for (const { method, path } of guarded) {
    const url = path.replace(/\{\w+\}/, 'x');
    for (const authorization of [undefined, 'Bearer x.y.z', `Bearer ${access_token}`]) {
      const headers = { ...(authorization && { authorization }) };
      // With the valid token only read.
      if (authorization?.endsWith(access_token) && method !== 'GET') continue;
      const answer = await inject({ method, url, headers });
      t.equal(answer.headers['cache-control'], 'no-store', `${method} ${url}`);
    }
  }
});

t.test('a role that is in the row but not in the token grants nothing yet', async (t) => {
  const own = await testApp(t);
  const { id, access_token } = await signedIn(own, 'new@example.com');
  await own.context.users.change(id, (user) => ({
    user: { ...user, roles: ['admin'] },
    result: true,
  }));
  refused(t, await own.as(access_token, { url: '/v1/users' }), 403, 'forbidden');
});

t.test('TOK-22 a role that is only in the token grants nothing', async (t) => {
  const own = await testApp(t);
  const { id, access_token } = await signedIn(own, 'root@example.com', { roles: ['admin'] });
  const users = () => own.as(access_token, { url: '/v1/users' });
  t.equal((await users()).statusCode, 200);
  await own.context.users.change(id, (user) => ({ user: { ...user, roles: [] }, result: true }));
  refused(t, await users(), 403, 'forbidden');
});
