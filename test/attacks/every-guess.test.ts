import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { resetToken } from '../../src/actions/tokens/mailed-tokens.ts';
import type { User } from '../../src/schemas/user.ts';
import { codeAt, withFactor } from '../authenticator.ts';
import { coded, verifyCode } from '../mail-codes.ts';
import { admin, PASSWORD_HASH, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type TestApp, testApp } from '../test-app.ts';

type Ask = (password: string) => InjectOptions;

/** Every route of a signed-in person that checks the password. */
const forPeople: Record<string, Ask> = {
  'delete me': (password) => ({ method: 'DELETE', url: '/v1/me', payload: { password } }),
  'change the password': (current_password) => ({
    method: 'PUT',
    url: '/v1/me/password',
    payload: { current_password, new_password: 'a lantern and a rusty old latchkey' },
  }),
  'change the address': (password) => ({
    method: 'PUT',
    url: '/v1/me/email',
    payload: { password, email: 'other@example.com' },
  }),
  'enrol a second factor': (password) => ({
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password },
  }),
  'remove the second factor': (password) => ({
    method: 'DELETE',
    url: '/v1/me/mfa/totp',
    payload: { password, code: '123456' },
  }),
  'renew the recovery codes': (password) => ({
    method: 'POST',
    url: '/v1/me/mfa/recovery-codes',
    payload: { password, code: '123456' },
  }),
  'prove again that it is you': (password) => ({
    method: 'POST',
    url: '/v1/me/verify',
    payload: { password },
  }),
};

/** Every route of an administrator that checks the administrator's password. */
const forAdmins: Record<string, Ask> = {
  'invite an administrator': (password) => ({
    method: 'POST',
    url: '/v1/users',
    payload: { email: 'new@example.com', roles: ['admin'], password },
  }),
  'make an administrator': (password) => ({
    method: 'PATCH',
    url: `/v1/users/${randomUUID()}`,
    payload: { roles: ['admin'], password },
  }),
  'create a service account with the role': (password) => ({
    method: 'POST',
    url: '/v1/service-accounts',
    payload: { name: 'deploy', roles: ['admin'], password },
  }),
  'renew a secret': (password) => ({
    method: 'POST',
    url: `/v1/service-accounts/${randomUUID()}/secret`,
    payload: { password },
  }),
};

const everyone: [string, Ask, typeof signedIn][] = [
  ...Object.entries(forPeople).map(([name, ask]) => [name, ask, signedIn] as const),
  ...Object.entries(forAdmins).map(([name, ask]) => [name, ask, admin] as const),
].map(([name, ask, person]) => [name, ask, person as typeof signedIn]);

/** Takes every place of the hash queue until it is let go. */
function fill({ context }: TestApp, t: Tap): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = context.hashQueue.run(() => promise);
  t.teardown(async () => {
    resolve();
    await running;
  });
}
type Tap = Parameters<typeof testApp>[0];

const ONE_AT_A_TIME = { env: { HASH_CONCURRENCY: '1', HASH_QUEUE: '0' } };

t.test(
  'five wrong passwords in a session make it wait, on every route that asks for one',
  async (t) => {
    for (const [name, ask, person] of everyone) {
      const app = await testApp(t);
      const { access_token } = await person(app, 'ada@example.com');
      for (let guess = 1; guess <= 5; guess += 1)
        refused(t, await app.as(access_token, ask('a wrong password')), 403, 'wrong_password');
      const answer = await app.as(access_token, ask(PASSWORD));
      refused(t, answer, 429, 'throttled');
      t.equal(answer.headers['retry-after'], '30', name);
    }
  },
);

t.test('while no password can be checked, every route that asks for one says so', async (t) => {
  for (const [name, ask, person] of everyone) {
    const app = await testApp(t, ONE_AT_A_TIME);
    const { access_token } = await person(app, 'ada@example.com');
    fill(app, t);
    const answer = await app.as(access_token, ask(PASSWORD));
    refused(t, answer, 503, 'overloaded');
    t.match(answer.headers['retry-after'], /^\d+$/, name);
  }
});

t.test('so do the routes of people who are not signed in', async (t) => {
  const app = await testApp(t, ONE_AT_A_TIME);
  const { recoveryCodes } = await withFactor(t, app, 'mfa@example.com');
  await signedIn(app, 'ada@example.com', { password_hash: PASSWORD_HASH });
  const credentials = { email: 'mfa@example.com', password: PASSWORD };
  const { mfa_token } = (await app.post('/v1/login', credentials)).json();
  const ada = (await app.context.users.findByEmail('ada@example.com')) as User;
  const token = resetToken(app.context, ada);
  fill(app, t);
  const asked: [string, object][] = [
    ['/v1/login', { email: 'ada@example.com', password: PASSWORD }],
    ['/v1/login/mfa', { mfa_token, recovery_code: recoveryCodes[0] }],
    ['/v1/password/reset', { token, password: 'a lantern and a rusty old latchkey' }],
    ['/v1/register', { email: 'new@example.com', password: PASSWORD }],
  ];
  for (const [url, payload] of asked) refused(t, await app.post(url, payload), 503, 'overloaded');
});

t.test('a code by mail that others keep waiting gets the same answer', async (t) => {
  const app = await testApp(t);
  const email = 'ada@example.com';
  await signedIn(app, email);
  const { token, code } = await coded(app, email);
  const subject = await app.context.guessing.subjectAt(email);
  const guess = { factor: 'mail_code', place: { prefix: '127.0.0.1' } } as const;
  const { signal } = new AbortController();
  for (let turn = 0; turn < 5; turn += 1)
    await app.context.guessing.enter(subject, { ...guess, signal });
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  const answer = verifyCode(app, token, code);
  const later = setInterval(() => {
    Date.now = () => now() + 10_000;
  }, 100);
  refused(t, await answer, 503, 'overloaded');
  clearInterval(later);
  Date.now = now;
  t.equal((await app.context.users.findByEmail(email))?.sessions.length, 1, 'nobody is let in');
});

t.test('a second factor is not confirmed while its recovery codes cannot be hashed', async (t) => {
  const app = await testApp(t, ONE_AT_A_TIME);
  const { access_token } = await signedIn(app, 'ada@example.com');
  const url = '/v1/me/mfa/totp';
  const begun = await app.as(access_token, {
    method: 'POST',
    url,
    payload: { password: PASSWORD },
  });
  const { secret } = begun.json<{ secret: string }>();
  fill(app, t);
  const payload = { code: codeAt(secret, app.clock.now) };
  const answer = await app.as(access_token, { method: 'POST', url: `${url}/confirm`, payload });
  refused(t, answer, 503, 'overloaded');
});

t.test('the last administrator cannot delete the account', async (t) => {
  const app = await testApp(t);
  const { access_token } = await admin(app);
  const answer = await app.as(access_token, {
    method: 'DELETE',
    url: '/v1/me',
    payload: { password: PASSWORD },
  });
  refused(t, answer, 409, 'last_admin');
});
