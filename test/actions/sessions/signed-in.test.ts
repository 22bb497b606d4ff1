import t from 'tap';
import { readConfig } from '../../../src/config.ts';
import { factor, signedIn } from '../../people.ts';
import { PASSWORD, type Tokens } from '../../test-app.ts';
import { appWithLetters } from '../letters.ts';

const SUBJECT = 'New sign-in to your account at Latchkey';
const email = 'ada@example.com';
const env = { SIGN_IN_LETTERS: 'true' };
const letter = [{ to: email, subject: SUBJECT }];

t.test(
  'a sign-in on an unknown device is told to the owner, one on a known device is not',
  async (t) => {
    const { told, signUp, post, clock } = await appWithLetters(t, { env });
    const { device_token } = await signUp();
    t.same(await told(), [{ to: email, subject: 'Confirm your email address' }], 'not the sign-up');
    const body = { email, password: PASSWORD };
    await post('/v1/login', { ...body, device_token });
    t.same(await told(), []);
    await post('/v1/login', body, { cookie: `__Secure-latchkey_device=${device_token}` });
    t.same(await told(), [], 'nor one with the cookie');

    const elsewhere = (await post('/v1/login', body)).json<Tokens>();
    t.same(await told(), letter);
    await post('/v1/login', { ...body, device_token: elsewhere.device_token });
    t.same(await told(), [], 'from then on the device is known');
    await post('/v1/login', { ...body, device_token: 'x' });
    await post('/v1/login', { ...body, password: `${PASSWORD}!` });
    t.same(await told(), letter, 'a refused sign-in is none');

    for (let turn = 0; turn < 5; turn += 1) await post('/v1/login', body);
    t.equal((await told()).length, 1, 'three an hour');
    clock.advance(3_600_000);
    await post('/v1/login', body);
    t.same(await told(), letter);
  },
);

t.test('the second step tells it, once, and not the first', async (t) => {
  const app = await appWithLetters(t, { env });
  const { context, post, told, clock } = app;
  const last_login_at = clock.now;
  const made = await signedIn(app, email, { last_login_at });
  const { mfa, code } = factor(app, made);
  await context.users.change(made.id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const { device_token } = made;
  const first = async (more = {}) =>
    (await post('/v1/login', { email, password: PASSWORD, ...more })).json().mfa_token;
  const second = (mfa_token: string) => post('/v1/login/mfa', { mfa_token, code: code() });

  const challenge = await first();
  t.same(await told(), []);
  t.equal((await second(challenge)).statusCode, 200);
  t.same(await told(), letter);
  clock.advance(30_000);
  t.equal((await second(await first({ device_token }))).statusCode, 200);
  t.same(await told(), []);
});

t.test('the first sign-in of an account is not told', async (t) => {
  const app = await appWithLetters(t, { env });
  await signedIn(app, email);
  t.equal((await app.login()).statusCode, 200);
  t.same(await app.told(), []);
  t.equal((await app.login()).statusCode, 200);
  t.same(await app.told(), letter);
});

t.test('they are on unless the operator says otherwise', async (t) => {
  t.equal(readConfig({}).SIGN_IN_LETTERS, true);
});

t.test('SIGN_IN_LETTERS=false sends none', async (t) => {
  const app = await appWithLetters(t, { env: { SIGN_IN_LETTERS: 'false' } });
  await signedIn(app, email, { last_login_at: app.clock.now });
  t.equal((await app.login()).statusCode, 200);
  t.same(await app.told(), []);
});
