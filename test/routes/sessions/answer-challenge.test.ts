import t, { type Test } from 'tap';
import { type Authenticator, codeAt, withFactor, wrongCode } from '../../authenticator.ts';
import { mailbox } from '../../mailbox.ts';
import { butForCounts, forgive } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const STEP = 30_000;
const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { post, inject, as, refresh, signUp, login, context, events, clock } = app;
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const answer = (mfa_token: string, proof: object) => post('/v1/login/mfa', { mfa_token, ...proof });
let ada: Authenticator;
/** Starts each test without the failures of the one before. */
const test = (title: string, body: (t: Test) => Promise<unknown>) =>
  t.test(title, async (t) => {
    await forgive(app, 'ada@example.com');
    await body(t);
  });

test('an account gets a second factor', async (t) => {
  ada = await withFactor(t, app, 'ada@example.com');
});
const row = async (email = 'ada@example.com') => {
  const user = await context.users.findByEmail(email);
  if (user === undefined) throw new Error(`nobody is ${email}`);
  return user;
};
async function challenge(email = 'ada@example.com'): Promise<string> {
  const step = await login(email);
  t.equal(step.statusCode, 202);
  return step.json().mfa_token;
}

test('MFA-01 MFA-02 the right password alone gets a challenge, and no tokens of a session', async (t) => {
  const before = await row();
  const count = happened().length;
  const step = await login();
  t.equal(step.statusCode, 202);
  t.equal(step.headers['set-cookie'], undefined);
  t.equal(step.headers['cache-control'], 'no-store');
  t.same(Object.keys(step.json()).sort(), ['expires_in', 'methods', 'mfa_token']);
  t.match(step.json(), { methods: ['totp', 'recovery_code'], expires_in: 300 });
  t.same(happened().slice(count), ['mfa.challenged']);
  t.same(butForCounts(await row()), butForCounts(before), 'no session, nothing else written');
  const { mfa_token } = step.json();
  refused(t, await as(mfa_token, { url: '/v1/whoami' }), 401, 'token_invalid');
  refused(t, await refresh(mfa_token), 401, 'refresh_invalid');
  refused(t, await login('ada@example.com', `${PASSWORD}!`), 401, 'invalid_credentials');
});

test('MFA-11 password and code sign in, and the tokens say so', async (t) => {
  const token = await challenge();
  const count = happened().length;
  const done = await answer(token, { code: ada.code() });
  t.equal(done.statusCode, 200);
  t.equal(done.headers['cache-control'], 'no-store');
  const claims = (await as(done.json().access_token, { url: '/v1/whoami' })).json();
  t.same(claims.amr, ['pwd', 'otp', 'mfa']);
  t.same(happened().slice(count), ['sign_in.ok']);
  t.equal((await row()).last_login_at, clock.now);
  const next = await refresh(done.json().refresh_token);
  t.equal(next.statusCode, 200, 'and the session continues');
});

test('MFA-01 a challenge works once', async (t) => {
  const token = await challenge();
  t.equal((await answer(token, { code: ada.code() })).statusCode, 200);
  const { sessions } = await row();
  refused(t, await answer(token, { code: ada.code() }), 401, 'challenge_invalid');
  refused(
    t,
    await answer(token, { recovery_code: ada.recoveryCodes[9] }),
    401,
    'challenge_invalid',
  );
  t.equal(
    (await row()).mfa.recovery?.hashes.length,
    10,
    'and a used challenge uses no recovery code up',
  );
  t.equal((await row()).sessions.length, sessions.length);
});

test('MFA-03 a code works once, even for another challenge', async (t) => {
  const [one, two] = [await challenge(), await challenge()];
  const code = ada.code();
  t.equal((await answer(one, { code })).statusCode, 200);
  refused(t, await answer(two, { code }), 401, 'invalid_code');
  const older = codeAt(ada.secret, clock.now, -1);
  refused(t, await answer(two, { code: older }), 401, 'invalid_code');
  t.equal((await answer(two, { code: ada.code() })).statusCode, 200);
});

test('MFA-03 of twenty answers with one code at once, one signs in', async (t) => {
  const same = await challenge();
  const before = (await row()).sessions.filter(({ ended_at }) => ended_at === undefined);
  const count = happened().length;
  const code = ada.code();
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(same, { code })));
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
  t.equal(
    happened()
      .slice(count)
      .filter((event) => event === 'sign_in.ok').length,
    1,
  );
  const after = (await row()).sessions.filter(({ ended_at }) => ended_at === undefined);
  t.equal(after.filter(({ id }) => !before.some((old) => old.id === id)).length, 1);

  const others = await Promise.all(Array.from({ length: 10 }, () => challenge()));
  const next = ada.code();
  const each = await Promise.all(others.map((token) => answer(token, { code: next })));
  t.equal(each.filter(({ statusCode }) => statusCode === 200).length, 1, 'also across challenges');
});

test('MFA-04 the codes of this time step and of the previous one work, and no others', async (t) => {
  clock.advance(10 * STEP);
  for (const [steps, status] of [
    [-2, 401],
    [1, 401],
    [-1, 200],
    [0, 200],
  ] as const) {
    const code = codeAt(ada.secret, clock.now, steps);
    t.equal((await answer(await challenge(), { code })).statusCode, status, `step ${steps}`);
  }
});

test('MFA-08 each challenge allows five tries, even if they come at once', async (t) => {
  const wrong = { code: wrongCode(ada.secret, clock.now) };
  const token = await challenge();
  for (let turn = 0; turn < 5; turn += 1)
    refused(t, await answer(token, wrong), 401, 'invalid_code');
  refused(t, await answer(token, { code: ada.code() }), 401, 'challenge_invalid');
  await forgive(app, 'ada@example.com');
  const other = await challenge();
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(other, wrong)));
  const codes = answers.map((each) => each.json().code);
  t.equal(codes.filter((code) => code === 'invalid_code').length, 5);
  t.equal(codes.filter((code) => code === 'challenge_invalid').length, 15);
  await forgive(app, 'ada@example.com');
  t.equal((await answer(await challenge(), { code: ada.code() })).statusCode, 200);
  t.ok(happened().filter((event) => event === 'mfa.refused').length >= 26);
});

test('the row keeps a limited number of challenges, until they expire', async (t) => {
  const wrong = { code: wrongCode(ada.secret, clock.now) };
  for (let turn = 0; turn < 25; turn += 1) {
    await forgive(app, 'ada@example.com');
    await answer(await challenge(), wrong);
  }
  t.equal((await row()).mfa.challenges.length, 20);
  clock.advance(300_000);
  await answer(await challenge(), { code: wrongCode(ada.secret, clock.now) });
  t.equal((await row()).mfa.challenges.length, 1);
});

test('a challenge works for five minutes', async (t) => {
  const token = await challenge();
  clock.advance(299_000);
  refused(t, await answer(token, { code: wrongCode(ada.secret, clock.now) }), 401, 'invalid_code');
  clock.advance(1_000);
  const code = codeAt(ada.secret, clock.now);
  refused(t, await answer(token, { code }), 401, 'challenge_invalid');
});

test('MFA-09 a recovery code signs in once, and its owner gets a mail', async (t) => {
  const [code = ''] = ada.recoveryCodes;
  const tokens = [await challenge(), await challenge()];
  await box.settled();
  const mails = box.mails.length;
  const done = await answer(tokens[0] as string, { recovery_code: code.toLowerCase() });
  t.equal(done.statusCode, 200);
  const claims = (await as(done.json().access_token, { url: '/v1/whoami' })).json();
  t.same(claims.amr, ['pwd', 'mfa']);
  t.equal((await refresh(done.json().refresh_token)).statusCode, 200);
  t.equal(await box.settled(mails + 1), mails + 1);
  t.equal(box.mails.at(-1)?.mail.subject, 'A recovery code was used');
  const again = await answer(tokens[1] as string, { recovery_code: code });
  refused(t, again, 401, 'invalid_code');
  t.equal((await row()).mfa.recovery?.hashes.length, 9);
  t.equal(await box.settled(mails + 1), mails + 1);
});

test('MFA-09 of twenty uses of a recovery code at once, one signs in', async (t) => {
  const recovery_code = ada.recoveryCodes[1];
  const tokens = await Promise.all(Array.from({ length: 20 }, () => challenge()));
  const answers = await Promise.all(tokens.map((token) => answer(token, { recovery_code })));
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
  t.equal((await row()).mfa.recovery?.hashes.length, 8);
});

test('once all recovery codes are used, a challenge no longer offers them', async (t) => {
  const { id, mfa } = await row();
  const { recovery } = mfa;
  const set = (hashes: string[]) =>
    context.users.change(id, (user) => ({
      user: { ...user, mfa: { ...user.mfa, recovery: recovery && { ...recovery, hashes } } },
      result: undefined,
    }));
  await set([]);
  t.same((await login()).json().methods, ['totp']);
  await set(recovery?.hashes ?? []);
});

test('MFA-10 a code is a string of six digits, and a body has one code only', async (t) => {
  const mfa_token = await challenge();
  const before = await row();
  for (const body of [
    {},
    { code: 123456 },
    { code: ['123456'] },
    { code: '１２３４５６' },
    { code: '12345' },
    { code: '1234567' },
    { code: ' 123456' },
    { code: '12345\n' },
    { recovery_code: 'short' },
    { recovery_code: '0189-0189-0189-0189' },
    { code: '123456', recovery_code: 'AAAA-AAAA-AAAA-AAAA' },
    { code: '123456', transport: 'cookie' },
  ])
    refused(t, await answer(mfa_token, body), 422, 'invalid_input');
  t.same(await row(), before, 'and none of these counts as a try');
});

test('MFA-01 a new password, a sign-out everywhere and a deletion end a challenge', async (t) => {
  const email = 'dies@example.com';
  const dora = await withFactor(t, app, email);
  const byPassword = await challenge(email);
  const pair = await as(dora.tokens.access_token, {
    method: 'PUT',
    url: '/v1/me/password',
    payload: { current_password: PASSWORD, new_password: 'a lantern in the harbour' },
  });
  refused(t, await answer(byPassword, { code: dora.code() }), 401, 'challenge_invalid');

  const next = (await login(email, 'a lantern in the harbour')).json().mfa_token;
  await as(pair.json().access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  refused(t, await answer(next, { code: dora.code() }), 401, 'challenge_invalid');

  const last = (await login(email, 'a lantern in the harbour')).json().mfa_token;
  const { id } = await row(email);
  const set = (status: 'active' | 'disabled') =>
    context.users.change(id, (user) => ({ user: { ...user, status }, result: undefined }));
  await set('disabled');
  refused(t, await answer(last, { code: dora.code() }), 401, 'challenge_invalid');
  await set('active');
  await context.users.change(id, (user) => ({
    user: { ...user, mfa: { challenges: [] } },
    result: undefined,
  }));
  const removed = await answer(last, { code: dora.code() });
  refused(t, removed, 401, 'challenge_invalid');
});

test('every invalid challenge gets the same answer', async (t) => {
  const iat = Math.floor(clock.now / 1_000);
  const claims = { ver: 0, was: 'x', dev: 'x', transport: 'body' as const, jti: 'x', iat };
  const forged = context.ownTokens.issue('mfa', { ...claims, sub: 'nobody', exp: iat + 60 });
  for (const token of ['x', forged, ada.tokens.refresh_token, ada.tokens.access_token]) {
    refused(t, await answer(token, { code: '123456' }), 401, 'challenge_invalid');
    const recovery = { recovery_code: ada.recoveryCodes[5] };
    refused(t, await answer(token, recovery), 401, 'challenge_invalid');
  }
});

test('the second step uses the transport and the device of the first', async (t) => {
  const step = await post('/v1/login', {
    email: 'ada@example.com',
    password: PASSWORD,
    transport: 'cookie',
    device_token: ada.tokens.device_token,
  });
  const done = await answer(step.json().mfa_token, { code: ada.code() });
  t.equal(done.statusCode, 200);
  t.notOk('refresh_token' in done.json());
  const device = done.cookies.find(({ name }) => name.endsWith('device'))?.value ?? '';
  const known = context.ownTokens.read('device', ada.tokens.device_token);
  t.equal(context.ownTokens.read('device', device)?.jti, known?.jti);
});

test('MFA-05 an encrypted secret that is moved to another row cannot be decrypted', async (t) => {
  const eve = await withFactor(t, app, 'eve@example.com');
  const [adas, eves] = [await row(), await row('eve@example.com')];
  t.notMatch(JSON.stringify(adas), ada.secret);
  const give = (id: string, secret: string | undefined) =>
    context.users.change(id, (user) => ({
      user: {
        ...user,
        mfa: { ...user.mfa, totp: { secret: secret as string, last_step: 0 } },
      },
      result: undefined,
    }));
  await give(adas.id, eves.mfa.totp?.secret);
  const sessions = (await row()).sessions.length;
  refused(t, await answer(await challenge(), { code: eve.code() }), 503, 'unavailable');
  t.equal((await row()).sessions.length, sessions, 'nobody is signed in');
  await give(adas.id, adas.mfa.totp?.secret);
  t.equal((await answer(await challenge(), { code: ada.code() })).statusCode, 200);
});

test('a session from before the second factor cannot be refreshed without it', async (t) => {
  const email = 'before@example.com';
  const old = await signUp(email);
  const { mfa } = await row();
  // Only a race can leave this state: confirming a second factor ends such a session.
  const { id } = await row(email);
  await context.users.change(id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  refused(t, await refresh(old.refresh_token), 401, 'refresh_invalid');
  const again = await inject({
    method: 'POST',
    url: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `grant_type=refresh_token&refresh_token=${old.refresh_token}`,
  });
  t.match([again.statusCode, again.json().error], [400, 'invalid_grant']);
});
