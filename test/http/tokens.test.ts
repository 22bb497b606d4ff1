import t from 'tap';
import { PASSWORD, testApp } from '../test-app.ts';

const { app, post, signUp, refresh } = await testApp(t, {
  env: { CORS_ORIGINS: 'https://app.example.com' },
});
const EMAIL = 'ada@example.com';

const IN_BODY = [
  'access_token',
  'device_token',
  'expires_in',
  'refresh_after',
  'refresh_expires_in',
  'refresh_token',
  'session_id',
  'token_type',
];
const LONG_LIVED = ['device_token', 'refresh_token'];

t.test('BEA-09 BEA-08 the answer with tokens describes them, and is never cached', async (t) => {
  const { refresh_token } = await signUp(EMAIL);
  const answers = [
    await post('/v1/register', { email: 'eve@example.com', password: PASSWORD }),
    await post('/v1/login', { email: EMAIL, password: PASSWORD }),
    await refresh(refresh_token),
  ];
  for (const answer of answers) {
    t.same(Object.keys(answer.json()).sort(), IN_BODY);
    t.match(answer.json(), { token_type: 'Bearer', expires_in: 900 });
    t.equal(answer.headers['cache-control'], 'no-store');
    t.equal(answer.headers['set-cookie'], undefined, 'in the body, not in a cookie');
    const [, claims] = answer.json().access_token.split('.');
    const { iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    t.equal(exp - iat, answer.json().expires_in);
  }
});

t.test('COO-02 BEA-09 with cookies, the long-lived tokens are not in the body', async (t) => {
  const payload = { email: EMAIL, password: PASSWORD, transport: 'cookie' };
  const answer = await app.inject({ method: 'POST', url: '/v1/login', payload });
  t.same(
    Object.keys(answer.json()).sort(),
    IN_BODY.filter((name) => !LONG_LIVED.includes(name)),
  );
  t.equal(answer.cookies.length, 2);
  for (const { value } of answer.cookies) t.notOk(answer.payload.includes(value));
  t.equal(answer.headers['cache-control'], 'no-store');
});
