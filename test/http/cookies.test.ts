import t from 'tap';
import { document } from '../operations.ts';
import { SoftAuthenticator } from '../passkeys.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const REFRESH = '__Secure-latchkey_refresh';
const DEVICE = '__Secure-latchkey_device';
const ORIGIN = 'https://app.example.com';

const { app, post, context, logs } = await testApp(t, {
  env: {
    ISSUER: 'https://auth.example.com',
    APP_URL: 'https://www.example.com/shop',
    CORS_ORIGINS: `${ORIGIN},https://other.example.com:8443`,
  },
});
const row = () => context.users.findByEmail('ada@example.com');
const signIn = () =>
  post('/v1/login', { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' });
const newcomer = { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' };
const signedUp = await app.inject({ method: 'POST', url: '/v1/register', payload: newcomer });
const token = signedUp.cookies[0]?.value as string;
const refresh = (headers: Record<string, string>, payload?: object) =>
  post('/v1/refresh', payload, headers);

t.test(
  'COO-01 the cookies have every attribute that protects them from scripts and other sites',
  async (t) => {
    const lines = [(await signIn()).headers['set-cookie']].flat().map((line) => String(line));
    for (const [index, [name, maxAge]] of [
      [REFRESH, 14 * 86_400],
      [DEVICE, 180 * 86_400],
    ].entries()) {
      const [pair, ...attributes] = (lines[index] as string).split('; ');
      t.match(pair, new RegExp(`^${name}=[\\w.-]+$`));
      t.same(attributes.sort(), [
        'HttpOnly',
        `Max-Age=${maxAge}`,
        'Path=/v1',
        'SameSite=Strict',
        'Secure',
      ]);
    }
    t.equal(lines.length, 2);
  },
);

t.test('COO-06 a clearing cookie has the same name and attributes, and no value', async (t) => {
  const session = (await signIn()).cookies[0]?.value;
  const headers = { cookie: `${REFRESH}=${session}`, origin: ORIGIN };
  const [line, ...more] = [
    (await post('/v1/logout', undefined, headers)).headers['set-cookie'],
  ].flat();
  const [pair, ...attributes] = String(line).split('; ');
  t.equal(pair, `${REFRESH}=`);
  t.same(attributes.sort(), ['HttpOnly', 'Max-Age=0', 'Path=/v1', 'SameSite=Strict', 'Secure']);
  t.same(more, [], 'the device cookie stays');
});

t.test(
  'COO-03 a cookie is accepted only with an origin that exactly matches an allowed one',
  async (t) => {
    const before = await row();
    for (const origin of [
      undefined,
      '',
      'null',
      'https://evil.example',
      'http://app.example.com',
      'https://app.example.com:444',
      'https://app.example.com/',
      'https://APP.example.com',
      'https://sub.app.example.com',
      'https://app.example.com.evil.example',
      'https://evilapp.example.com',
      'https://other.example.com',
      'https://auth.example.com/tenant',
      '*',
    ]) {
      const headers = { cookie: `${REFRESH}=${token}`, ...(origin !== undefined && { origin }) };
      const answer = await refresh(headers);
      refused(t, answer, 403, 'origin_forbidden');
      t.equal(answer.headers['set-cookie'], undefined);
      const named = /^(null|https?:\/\/[^/A-Z]+)$/.test(origin ?? '')
        ? origin
        : 'a missing or invalid';
      t.match(logs.at(-1)?.['reason'], named, 'the operator reads which origin it was');
      t.match(logs.at(-1)?.['reason'], 'CORS_ORIGINS', 'and which variable allows it');
    }
    t.same(await row(), before, 'nothing rotated');
    for (const origin of [
      ORIGIN,
      'https://other.example.com:8443',
      'https://auth.example.com',
      'https://www.example.com',
    ]) {
      const cookie = `${REFRESH}=${(await signIn()).cookies[0]?.value}`;
      t.equal((await refresh({ cookie, origin })).statusCode, 200);
    }
  },
);

t.test('COO-03 an HTML form is refused, even from a listed origin', async (t) => {
  const before = await row();
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]) {
    const headers = { cookie: `${REFRESH}=${token}`, origin: ORIGIN, 'content-type': type };
    for (const url of ['/v1/refresh', '/v1/logout']) {
      const answer = await app.inject({ method: 'POST', url, headers, payload: 'x=1' });
      refused(t, answer, 415, 'unsupported_media_type');
    }
  }
  t.same(await row(), before);
});

t.test(
  'COO-07 two cookies with the same name are refused: a sibling domain may have set one',
  async (t) => {
    const before = await row();
    for (const cookie of [
      `${REFRESH}=${token}; ${REFRESH}=evil`,
      `${REFRESH}=evil; a=b; ${REFRESH}=${token}`,
      `${REFRESH}=${token};${REFRESH}=${token}`,
      `${REFRESH}=; ${REFRESH}=${token}`,
      // The parser ignores white space before the sign too.
      `${REFRESH} =evil; ${REFRESH}=${token}`,
      `${REFRESH}=${token}; ${REFRESH}\t=evil`,
    ]) {
      const headers = { cookie, origin: ORIGIN };
      for (const answer of [await refresh(headers), await post('/v1/logout', undefined, headers)]) {
        const { detail } = refused(t, answer, 400, 'ambiguous_credentials');
        t.match(detail, /same cookie twice/);
      }
    }
    const cookie = `${DEVICE}=a; ${DEVICE}=b`;
    const email = 'ada@example.com';
    const passkey = new SoftAuthenticator().get({ challenge: 'x' }, { user: 'x' });
    for (const [url, body] of Object.entries({
      '/v1/login': { email, password: PASSWORD },
      '/v1/login/passkey': { passkey },
      '/v1/login/code': { email },
      '/v1/login/code/verify': { code_token: 'x', code: '12345678' },
      '/v1/email/confirm': { token: 'x' },
    }))
      refused(t, await post(url, body, { cookie }), 400, 'ambiguous_credentials');
    t.same((await row())?.token_version, before?.token_version);
    const current = (await row())?.sessions.filter(({ gen }) => gen > 0).length;
    t.equal(current, before?.sessions.filter(({ gen }) => gen > 0).length, 'nothing rotated');
  },
);

t.test('COO-02 a token in the body and one in a cookie are refused together', async (t) => {
  const before = await row();
  const headers = { cookie: `${REFRESH}=${token}`, origin: ORIGIN };
  for (const url of ['/v1/refresh', '/v1/logout']) {
    const answer = await post(url, { refresh_token: token }, headers);
    refused(t, answer, 400, 'ambiguous_credentials');
  }
  t.same(await row(), before);
});

t.test('other cookies are ignored, and an empty cookie counts as missing', async (t) => {
  const cookies = [
    `a=b; x${REFRESH}=1; c`,
    `${REFRESH}=`,
    '=',
    ';;;',
    '%%%=%%%',
    'a'.repeat(4_000),
  ];
  for (const cookie of cookies) refused(t, await refresh({ cookie }), 401, 'refresh_missing');
  const answer = await refresh({ cookie: `${REFRESH}=%zz`, origin: ORIGIN });
  refused(t, answer, 401, 'refresh_invalid');
});

t.test('COO-04 GET and OPTIONS change nothing', async (t) => {
  const before = await row();
  const headers = { cookie: `${REFRESH}=${token}`, origin: ORIGIN };
  const changing = Object.entries(document.paths).filter(([, item]) => !('get' in item));
  t.ok(changing.length > 15);
  for (const [path] of changing) {
    const url = path.replace(/\{\w+\}/, 'x');
    for (const method of ['GET', 'HEAD'] as const) {
      for (const query of ['', `?token=${token}&refresh_token=${token}&_method=POST`]) {
        const answer = await app.inject({
          method,
          url: `${url}${query}`,
          headers: { ...headers, 'x-http-method-override': 'POST' },
        });
        t.equal(answer.statusCode, 405, `${method} ${url}`);
        t.equal(answer.headers['set-cookie'], undefined);
      }
    }
  }
  t.same(await row(), before);
});
