import t from 'tap';
import { butForCounts } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const NEXT = 'a lantern in the rainy harbour';

const { signUp, login, as, refresh, post, context, events } = await testApp(t);
await signUp();
const row = () => context.users.findByEmail('ada@example.com');
const change = (token: string, current_password: string, new_password: string, headers = {}) =>
  as(token, {
    method: 'PUT',
    url: '/v1/me/password',
    headers,
    payload: { current_password, new_password },
  });
const whoami = async (token: string) => (await as(token, { url: '/v1/whoami' })).statusCode;

t.test('a refused request changes nothing', async (t) => {
  const { access_token, refresh_token } = (await login()).json();
  const before = await row();
  refused(t, await change(access_token, `${PASSWORD}!`, NEXT), 403, 'wrong_password');
  for (const bad of ['too short', 'a'.repeat(129)]) {
    const problem = refused(t, await change(access_token, PASSWORD, bad), 422, 'invalid_input');
    t.match(problem.errors, [{ path: '/new_password' }]);
    t.notOk(JSON.stringify(problem).includes(bad), 'the answer does not contain the value');
  }
  const missing = {
    method: 'PUT',
    url: '/v1/me/password',
    payload: { new_password: NEXT },
  } as const;
  refused(t, await as(access_token, missing), 422, 'invalid_input');
  t.same(butForCounts(await row()), butForCounts(before));
  t.equal(await whoami(access_token), 200);
  t.equal((await refresh(refresh_token)).statusCode, 200);
});

t.test('the current password is refused as the new one, and no session ends', async (t) => {
  const { access_token, refresh_token } = (await login()).json();
  const before = await row();
  for (const same of [PASSWORD, PASSWORD.replaceAll(' ', '\u00a0')]) {
    const { errors } = refused(t, await change(access_token, PASSWORD, same), 422, 'invalid_input');
    t.same(errors, [{ path: '/new_password', message: 'is the password that you have now' }]);
  }
  refused(t, await change(access_token, 'wrong', PASSWORD), 403, 'wrong_password');
  t.same(butForCounts(await row()), butForCounts(before));
  t.equal((await refresh(refresh_token)).statusCode, 200);
});

t.test('REF-11 this session continues with new tokens, and every other session ends', async (t) => {
  const here = (await login()).json();
  const there = (await login()).json();
  const answer = await change(here.access_token, PASSWORD, NEXT);
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal(
    events().findLast((name) => !name.startsWith('mail.')),
    'password.changed',
  );
  const pair = answer.json();
  t.equal(pair.session_id, here.session_id);
  t.equal(await whoami(pair.access_token), 200);
  for (const { access_token, refresh_token } of [here, there]) {
    t.equal(await whoami(access_token), 401, 'the old token is revoked in the same second');
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  }
  t.equal((await refresh(pair.refresh_token)).statusCode, 200);
  refused(t, await login(), 401, 'invalid_credentials');
  t.equal((await login('ada@example.com', NEXT)).statusCode, 200);
});

t.test('of two changes at once with one password, one succeeds', async (t) => {
  const one = (await login('ada@example.com', NEXT)).json();
  const two = (await login('ada@example.com', NEXT)).json();
  const passwords = ['the first of the new ones', 'the second of the new ones'] as const;
  const answers = await Promise.all([
    change(one.access_token, NEXT, passwords[0]),
    change(two.access_token, NEXT, passwords[1]),
  ]);
  const winner = answers.findIndex(({ statusCode }) => statusCode === 200);
  const loser = answers[1 - winner];
  t.equal(loser?.statusCode, 401, 'the session of the other had ended by then');
  t.equal((await login('ada@example.com', passwords[winner])).statusCode, 200);
  refused(t, await login('ada@example.com', passwords[1 - winner]), 401, 'invalid_credentials');
});

t.test('of two changes at once in one session, one succeeds', async (t) => {
  await signUp('eve@example.com');
  const { access_token } = (await login('eve@example.com')).json();
  const answers = await Promise.all([
    change(access_token, PASSWORD, NEXT),
    change(access_token, PASSWORD, NEXT),
  ]);
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 401]);
});

t.test('a password that was changed during the check is not overwritten', async (t) => {
  const { access_token } = await signUp('carl@example.com');
  const user = await context.users.findByEmail('carl@example.com');
  const other = await context.passwords.hash('set by an administrator');
  const [answer] = await Promise.all([
    change(access_token, PASSWORD, NEXT),
    new Promise((resolve) => setTimeout(resolve, 5)).then(() =>
      context.users.change(user?.id as string, (before) => ({
        user: { ...before, password_hash: other },
        result: undefined,
      })),
    ),
  ]);
  refused(t, answer, 403, 'wrong_password');
  t.equal((await context.users.findByEmail('carl@example.com'))?.password_hash, other);
});

t.test('a cookie session gets its new tokens in cookies', async (t) => {
  await signUp('dora@example.com');
  const body = { email: 'dora@example.com', password: PASSWORD, transport: 'cookie' };
  const signedIn = await post('/v1/login', body);
  const device = signedIn.cookies[1]?.value;
  const answer = await change(signedIn.json().access_token, PASSWORD, NEXT, {
    cookie: `__Secure-latchkey_device=${device}`,
  });
  t.equal(answer.statusCode, 200);
  t.notOk('refresh_token' in answer.json());
  t.match(answer.cookies, [
    { name: '__Secure-latchkey_refresh' },
    { name: '__Secure-latchkey_device', value: device },
  ]);
  t.not(answer.cookies[0]?.value, signedIn.cookies[0]?.value);
});
