import t from 'tap';
import { withFactor } from '../../authenticator.ts';
import { signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { signUp, login, as, post, context, clock } = app;
const { access_token } = await signUp();
const rowOf = async () => {
  const user = await context.users.findByEmail('ada@example.com');
  if (user === undefined) throw new Error('no such user');
  return user;
};

t.test('a user reads the profile, and nothing else of the row', async (t) => {
  const answer = await as(access_token, { url: '/v1/me' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  const now = new Date(clock.now).toISOString();
  t.strictSame(answer.json(), {
    id: (await rowOf()).id,
    email: 'ada@example.com',
    email_verified: false,
    name: null,
    roles: [],
    password: true,
    mfa: false,
    recovery_codes: 0,
    created_at: now,
    last_login_at: now,
  });
});

t.test('the profile shows whether the address is verified, and the last sign-in', async (t) => {
  await context.users.change((await rowOf()).id, (user) => ({
    user: { ...user, email_verified_at: clock.now, last_login_at: null },
    result: undefined,
  }));
  const profile = (await as(access_token, { url: '/v1/me' })).json();
  t.match(profile, { email_verified: true, last_login_at: null });
});

t.test('the profile shows whether there is a password', async (t) => {
  const { access_token } = await signedIn(app, 'carol@example.com', { password_hash: null });
  t.match((await as(access_token, { url: '/v1/me' })).json(), { password: false });
});

t.test('the profile shows the second factor, and how many recovery codes are left', async (t) => {
  const { tokens, recoveryCodes } = await withFactor(t, app, 'bob@example.com');
  const profile = async () => (await as(tokens.access_token, { url: '/v1/me' })).json();
  t.match(await profile(), { mfa: true, recovery_codes: 10 });
  const { mfa_token } = (await login('bob@example.com', PASSWORD)).json();
  const [recovery_code] = recoveryCodes;
  t.equal((await post('/v1/login/mfa', { mfa_token, recovery_code })).statusCode, 200);
  t.match(await profile(), { mfa: true, recovery_codes: 9 });
});

t.test('the row decides, not the snapshot: its status, version and sessions count', async (t) => {
  const { access_token, session_id } = (await login()).json();
  const before = await rowOf();
  for (const change of [
    { status: 'disabled' as const },
    { access_version: before.access_version + 1 },
    { sessions: before.sessions.filter(({ id }) => id !== session_id) },
  ]) {
    await context.users.change(before.id, (user) => ({
      user: { ...user, ...change },
      result: undefined,
    }));
    t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200, 'the snapshot holds');
    refused(t, await as(access_token, { url: '/v1/me' }), 401, 'token_revoked');
    const rename = { method: 'PATCH', url: '/v1/me', payload: { name: 'Eve' } } as const;
    refused(t, await as(access_token, rename), 401, 'token_revoked');
    const { status, access_version, sessions } = before;
    await context.users.change(before.id, (user) => ({
      user: { ...user, status, access_version, sessions },
      result: undefined,
    }));
  }
  t.equal((await rowOf()).name, null);
  t.equal((await as(access_token, { url: '/v1/me' })).statusCode, 200);
});

t.test('without a token there is no profile', async (t) => {
  const { inject } = await testApp(t);
  refused(t, await inject({ url: '/v1/me' }), 401, 'token_missing');
});
