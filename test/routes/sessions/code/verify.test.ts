import { decodeJwt, decodeProtectedHeader } from 'jose';
import t from 'tap';
import { emailToken } from '../../../../src/actions/tokens/mailed-tokens.ts';
import { readKeySet } from '../../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../../src/parts/keys/new-keys.ts';
import { asked, coded, mailedCode, rowOf, verifyCode } from '../../../mail-codes.ts';
import { mailbox } from '../../../mailbox.ts';
import { ORIGIN } from '../../../passkeys.ts';
import { factor, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { keySet, PASSWORD, type TestApp, type Tokens, testApp } from '../../../test-app.ts';

const ADA = 'ada@example.com';

const events = (app: TestApp) => app.events().filter((name) => !name.startsWith('mail.'));

t.test('a code by mail signs in', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url, LOG_LEVEL: 'trace' } });
  const { id } = await signedIn(app, ADA);
  app.clock.advance(1_000);
  const answer = await app.post('/v1/login/code', { email: ' ADA@example.com' });
  t.equal(answer.statusCode, 202);
  t.match(answer.json(), { code_token: String, expires_in: 600 });
  const { code_token } = answer.json();
  const code = await mailedCode(box, ADA);
  const signed = await verifyCode(app, code_token, code);
  t.equal(signed.statusCode, 200);
  const { access_token, refresh_token } = signed.json();
  t.match(decodeJwt(access_token), {
    sub: id,
    amr: ['otp'],
    auth_time: Math.floor(app.clock.now / 1_000),
  });
  t.equal((await app.refresh(refresh_token)).statusCode, 200);
  t.equal((await rowOf(app, ADA)).last_login_at, app.clock.now);
  t.same(events(app), ['sign_in.ok']);
  const metrics = await app.context.metrics.registry.metrics();
  t.match(metrics, 'latchkey_sign_ins_total{way="mail_code",result="ok"} 1');
  t.notMatch(JSON.stringify(app.logs), code, 'the log has no code');
  refused(t, await verifyCode(app, code_token, code), 401, 'mail_code_refused');
});

t.test('the tokens can travel in cookies, and a known device stays the same', async (t) => {
  const app = await testApp(t);
  const { device_token } = await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const answer = await app.post(
    '/v1/login/code/verify',
    { code_token: token, code, transport: 'cookie' },
    { origin: ORIGIN, cookie: `__Secure-latchkey_device=${device_token}` },
  );
  t.equal(answer.statusCode, 200);
  t.notOk(answer.json().refresh_token);
  const device = answer.cookies.find(({ name }) => name === '__Secure-latchkey_device');
  t.equal(decodeJwt(device?.value ?? '').jti, decodeJwt(device_token).jti);
});

t.test('a code works for ten minutes', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const late = await coded(app, ADA);
  app.clock.advance(599_999);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
  app.clock.advance(1);
  refused(t, await verifyCode(app, late.token, late.code), 401, 'mail_code_refused');
});

t.test('a second factor is still asked for, and the code is spent', async (t) => {
  const app = await testApp(t);
  const person = await signedIn(app, ADA);
  const { mfa, code: totp } = factor(app, person);
  await app.context.users.change(person.id, (user) => ({
    user: { ...user, mfa },
    result: undefined,
  }));
  const { token, code } = await coded(app, ADA);
  const answer = await verifyCode(app, token, code);
  t.equal(answer.statusCode, 202);
  t.match(answer.json(), { methods: ['totp'], expires_in: 300, access_token: undefined });
  refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
  t.same(events(app), ['mfa.challenged', 'sign_in.refused']);
  const { mfa_token } = answer.json();
  const done = await app.post('/v1/login/mfa', { mfa_token, code: totp() });
  t.equal(done.statusCode, 200);
  t.same(decodeJwt(done.json().access_token).amr, ['otp', 'mfa']);
});

t.test('a sign-in that waits for its second step ends with the address', async (t) => {
  const app = await testApp(t);
  const person = await signedIn(app, ADA);
  const { mfa, code: totp } = factor(app, person);
  await app.context.users.change(person.id, (user) => ({
    user: { ...user, mfa },
    result: undefined,
  }));
  const { token, code } = await coded(app, ADA);
  const { mfa_token } = (await verifyCode(app, token, code)).json();
  app.clock.advance(1_000);
  const user = await rowOf(app, ADA);
  const link = emailToken(app.context, user, { email: 'new@example.com', sid: person.session_id });
  t.equal((await app.post('/v1/email/confirm', { token: link })).statusCode, 204);
  const late = await app.post('/v1/login/mfa', { mfa_token, code: totp() });
  refused(t, late, 401, 'challenge_invalid');
});

t.test('a code proves the mailbox: what a stranger has put into the account goes', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url, SIGN_UP: 'open' } });
  const stranger = await app.signUp(ADA);
  const { id } = await rowOf(app, ADA);
  const { mfa } = factor(app, { id });
  await app.context.users.change(id, (user) => ({
    user: { ...user, mfa, claimed_at: 0, email_verified_at: 1 },
    result: undefined,
  }));
  app.clock.advance(2_000);
  const token = await asked(app, ADA);
  const code = await mailedCode(box, ADA);
  const answer = await verifyCode(app, token, code);
  t.equal(answer.statusCode, 200, 'no second factor of the stranger is asked for');
  t.match(await rowOf(app, ADA), {
    email_verified_at: 1,
    claimed_at: app.clock.now,
    devices_since: app.clock.now,
    password_hash: null,
    passkeys: [],
    mfa: { totp: undefined },
  });
  const { access_token, device_token } = answer.json();
  t.not(decodeJwt(device_token).jti, decodeJwt(stranger.device_token).jti);
  t.equal((await app.as(access_token, { url: '/v1/me' })).statusCode, 200);
  refused(t, await app.refresh(stranger.refresh_token), 401, 'refresh_invalid');
  refused(t, await app.as(stranger.access_token, { url: '/v1/me' }), 401, 'token_revoked');
  refused(t, await app.login(ADA), 401, 'invalid_credentials');
  await box.settled();
  t.equal(box.mails.at(-1)?.mail.subject, 'Your password was removed');
  t.same(events(app).slice(1, 3), ['password.removed', 'sign_in.ok']);

  const again = await coded(app, ADA);
  t.equal((await verifyCode(app, again.token, again.code)).statusCode, 200);
  await box.settled();
  t.equal(box.mails.filter(({ mail }) => mail.subject === 'Your password was removed').length, 1);
});

t.test('an owner on a device of the account keeps everything', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const owner = await signedIn(app, ADA);
  const { mfa } = factor(app, owner);
  // The link was opened in another browser.
  await app.context.users.change(owner.id, (user) => ({
    user: {
      ...user,
      mfa,
      claimed_at: 0,
      sessions: user.sessions.map((session) => ({ ...session, amr: ['pwd', 'otp', 'mfa'] })),
    },
    result: undefined,
  }));
  const before = await rowOf(app, ADA);
  const { device_token } = owner;
  const token = await asked(app, ADA, { device_token });
  const code = await mailedCode(box, ADA);
  const answer = await verifyCode(app, token, code, { device_token });
  t.equal(answer.statusCode, 202, 'the second factor is still asked for');
  const { password_hash, devices_since, token_version, sessions } = before;
  t.match(await rowOf(app, ADA), {
    password_hash,
    devices_since,
    token_version,
    sessions,
    mfa: { totp: mfa.totp },
    claimed_at: app.clock.now,
  });
  t.equal((await app.refresh(owner.refresh_token)).statusCode, 200);
  t.equal(await box.settled(), 1, 'there is no letter but the code');
});

t.test('the owner is told of removed passkeys and providers too', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const identity_1 = 'https://id.example.com|stranger';
  await signedIn(app, ADA, { claimed_at: 0, password_hash: null, identity_1 });
  const token = await asked(app, ADA);
  const code = await mailedCode(box, ADA);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
  t.equal((await rowOf(app, ADA)).identity_1, null);
  t.match((await box.next(ADA)).mail.text, 'passkeys and linked providers');
  t.same(events(app), ['password.removed', 'sign_in.ok']);
});

t.test('who was invited signs in before there is a password', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const { id } = await signedIn(app, ADA, { email_verified_at: null, password_hash: null });
  await app.context.users.change(id, (user) => ({
    user: { ...user, sessions: [] },
    result: undefined,
  }));
  const token = await asked(app, ADA);
  const code = await mailedCode(box, ADA);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
  t.equal((await rowOf(app, ADA)).email_verified_at, app.clock.now);
  t.equal(await box.settled(), 1, 'no password was removed');
});

t.test('an account that its owner has confirmed keeps all it has', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  const before = await rowOf(app, ADA);
  const { token, code } = await coded(app, ADA);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
  const { password_hash, email_verified_at, claimed_at, token_version } = before;
  t.match(await rowOf(app, ADA), { password_hash, email_verified_at, claimed_at, token_version });
  t.equal((await app.login(ADA, PASSWORD)).statusCode, 200);
});

t.test('a new master secret leaves the codes that were sent as they are', async (t) => {
  const keys = [newSigningKey('ES256', 0), newMasterSecret(0)];
  const app = await testApp(t, { env: { SIGNING_KEYS: keySet(...keys) } });
  await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const next = newMasterSecret(app.clock.now / 1_000 + 60);
  await app.context.keys.replace(readKeySet(keySet(...keys, next)), app.clock.now);
  app.clock.advance(120_000);
  t.not(decodeProtectedHeader(token).kid, decodeProtectedHeader(await asked(app, ADA)).kid);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
});

t.test(
  'in the second of the take-over the device of the owner is known, and not that of a stranger',
  async (t) => {
    const app = await testApp(t, { env: { SIGN_UP: 'open' } });
    // At the end of a second, so that the token of the owner is of the same one.
    app.clock.advance(900);
    const stranger = await app.signUp(ADA);
    const first = await coded(app, ADA);
    app.clock.advance(50);
    const owner = (await verifyCode(app, first.token, first.code)).json<Tokens>();
    const deviceAfter = async (device_token: string) => {
      const { token, code } = await coded(app, ADA);
      const answer = await verifyCode(app, token, code, { device_token });
      return decodeJwt(answer.json<Tokens>().device_token).jti;
    };
    t.not(await deviceAfter(stranger.device_token), decodeJwt(stranger.device_token).jti);
    t.equal(await deviceAfter(owner.device_token), decodeJwt(owner.device_token).jti);
    app.clock.advance(1_000);
    t.not(await deviceAfter(stranger.device_token), decodeJwt(stranger.device_token).jti);
    t.equal(await deviceAfter(owner.device_token), decodeJwt(owner.device_token).jti);
  },
);
