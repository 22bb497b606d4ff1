import t from 'tap';
import { codeAt, withFactor } from '../authenticator.ts';
import { postgres, sqliteFile } from '../databases.ts';
import { coded, codeFor, rowOf, verifyCode, wrongMailCode } from '../mail-codes.ts';
import { requested, signInWith, withPasskey } from '../passkeys.ts';
import { signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, TestClock, testApp } from '../test-app.ts';

const ADA = 'ada@example.com';

t.test('each half opens only with its own other half', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  await signedIn(app, 'bob@example.com');
  const mine = await coded(app, ADA);
  const other = await coded(app, ADA);
  const bobs = await coded(app, 'bob@example.com');
  t.not(mine.code, other.code);
  for (const { token } of [other, bobs])
    refused(t, await verifyCode(app, token, mine.code), 401, 'mail_code_refused');
  refused(t, await verifyCode(app, 'x', mine.code), 401, 'mail_code_refused');
  refused(t, await verifyCode(app, `${mine.token}A`, mine.code), 401, 'mail_code_refused');
  t.equal((await verifyCode(app, mine.token, mine.code)).statusCode, 200);
});

t.test('reading the pages and routes uses nothing up', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const before = await rowOf(app, ADA);
  for (const method of ['GET', 'HEAD'] as const) {
    t.equal((await app.inject({ method, url: '/login' })).statusCode, 200);
    for (const url of ['/v1/login/code', '/v1/login/code/verify'])
      t.equal((await app.inject({ method, url })).statusCode, 405);
  }
  t.same(await rowOf(app, ADA), before);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
});

t.test('a code has five tries, from wherever they come', async (t) => {
  const app = await testApp(t, { env: { TRUST_PROXY: '127.0.0.1' } });
  await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const next = await coded(app, ADA);
  const from = (ip: number, given: string, code_token = token) =>
    app.post(
      '/v1/login/code/verify',
      { code_token, code: given },
      { 'x-forwarded-for': `203.0.113.${ip}` },
    );
  for (let ip = 1; ip <= 5; ip += 1)
    refused(t, await from(ip, wrongMailCode(code)), 401, 'mail_code_refused');
  refused(t, await from(6, code), 401, 'mail_code_refused');
  t.match((await rowOf(app, ADA)).mail_codes, { counter: 1, tried: [{ tries: 5 }] });
  t.equal((await from(7, next.code, next.token)).statusCode, 200, 'another code is not affected');
});

t.test('guesses are counted for the place and for the account', async (t) => {
  const app = await testApp(t, { env: { TRUST_PROXY: '127.0.0.1' } });
  const { device_token } = await signedIn(app, ADA);
  for (let guess = 0; guess < 5; guess += 1) {
    const { token, code } = await coded(app, ADA);
    refused(t, await verifyCode(app, token, wrongMailCode(code)), 401, 'mail_code_refused');
  }
  const { token, code } = await coded(app, ADA);
  const answer = await verifyCode(app, token, code);
  refused(t, answer, 429, 'throttled');
  t.equal(answer.headers['retry-after'], '30');
  t.match((await rowOf(app, ADA)).throttle, [
    { key: 'mail_code all', failures: 5 },
    { key: /^mail_code net /, failures: 5 },
  ]);
  // A mail is sent whenever it is.
  const happened = app.events().filter((name) => !name.startsWith('mail.'));
  t.same(happened.slice(-2), ['sign_in.refused', 'sign_in.throttled']);
  const known = await verifyCode(app, token, code, { device_token });
  t.equal(known.statusCode, 200, 'a known device has guesses of its own');
});

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name}, of 20 wrong codes at once five are tried`, async (t) => {
    const app = await testApp(t, { env: { DATABASE_URL: await engine.create() } });
    await signedIn(app, ADA);
    const { token, code } = await coded(app, ADA);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => verifyCode(app, token, wrongMailCode(code))),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    t.same(statuses, [...Array(5).fill(401), ...Array(15).fill(429)]);
    const { throttle, mail_codes } = await rowOf(app, ADA);
    for (const { failures, pending } of throttle)
      t.same({ failures, pending }, { failures: 5, pending: [] });
    t.match(mail_codes.tried, [{ tries: 5 }]);
  });

  t.test(`on ${engine.name}, a code that is sent 20 times at once signs in once`, async (t) => {
    const app = await testApp(t, { env: { DATABASE_URL: await engine.create() } });
    await signedIn(app, ADA);
    const { token, code } = await coded(app, ADA);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => verifyCode(app, token, code)),
    );
    t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
    t.equal((await rowOf(app, ADA)).sessions.length, 2);
  });

  t.test(`on ${engine.name}, a sign-in on another node kills older codes`, async (t) => {
    const clock = new TestClock();
    const env = { DATABASE_URL: await engine.create() };
    const [one, two] = [await testApp(t, { env, clock }), await testApp(t, { env, clock })];
    await signedIn(one, ADA);
    const { token, code } = await coded(one, ADA);
    t.equal((await two.login(ADA)).statusCode, 200);
    refused(t, await verifyCode(one, token, code), 401, 'mail_code_refused');
  });
}

t.test('every sign-in kills older codes, and no request for a newer one does', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, ADA);
  const ways: Record<string, () => Promise<unknown>> = {
    'by password': () => app.login(ADA),
    'by passkey': async () => signInWith(app, ada.passkey.get(await requested(app))),
    'by another code': async () => {
      const { token, code } = await coded(app, ADA);
      return verifyCode(app, token, code);
    },
    // The last version does not count.
    'on a node of the version before': async () => {
      const { id } = await rowOf(app, ADA);
      await app.context.users.change(id, (user) => ({
        user: { ...user, last_login_at: app.clock.now + 1 },
        result: undefined,
      }));
    },
    'never: signed out everywhere': async () => {
      const { access_token } = (await app.login(ADA)).json();
      await app.as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
    },
  };
  for (const [way, signIn] of Object.entries(ways)) {
    const { token, code } = await coded(app, ADA);
    await coded(app, ADA);
    t.equal(await codeFor(app, ADA, token), code, 'a newer request changes nothing');
    await signIn();
    refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
    t.not(await codeFor(app, ADA, token), code, way);
  }
});

t.test('who made the account of somebody else takes no code away from them', async (t) => {
  const app = await testApp(t, { env: { SIGN_UP: 'open' } });
  const stranger = await app.signUp(ADA);
  const [first, second] = [await coded(app, ADA), await coded(app, ADA)];
  app.clock.advance(1_000);
  t.equal((await app.login(ADA)).statusCode, 200);
  const new_password = 'a lantern in the rainy harbour';
  const changed = await app.as(stranger.access_token, {
    method: 'PUT',
    url: '/v1/me/password',
    payload: { current_password: PASSWORD, new_password },
  });
  const { access_token } = changed.json();
  await app.as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  t.equal((await verifyCode(app, first.token, first.code)).statusCode, 200);
  for (const { token, code } of [first, second])
    refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
  t.notOk((await rowOf(app, ADA)).password_hash, 'it is the owner’s now');
});

t.test('a second step kills older codes too', async (t) => {
  const app = await testApp(t);
  const { secret } = await withFactor(t, app, ADA);
  const { token, code } = await coded(app, ADA);
  const { mfa_token } = (await app.login(ADA)).json();
  app.clock.advance(30_000);
  await app.post('/v1/login/mfa', { mfa_token, code: codeAt(secret, app.clock.now) });
  refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
});

t.test('a code is no second factor and no step-up', async (t) => {
  const app = await testApp(t);
  await withFactor(t, app, ADA);
  const { access_token } = await signedIn(app, 'bob@example.com');
  const { token, code } = await coded(app, ADA);
  const { mfa_token } = (await app.login(ADA)).json();
  for (const proof of [{ code }, { code_token: token }, { code, code_token: token }]) {
    refused(t, await app.post('/v1/login/mfa', { mfa_token, ...proof }), 422, 'invalid_input');
    const asks = { method: 'POST', url: '/v1/me/verify', payload: proof } as const;
    refused(t, await app.as(access_token, asks), 422, 'invalid_input');
  }
});

t.test('a code moves to no other account with its address', async (t) => {
  const app = await testApp(t);
  const { id } = await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  await app.context.users.change(id, (user) => ({
    user: { ...user, email: 'new@example.com', email_key: 'new@example.com' },
    result: undefined,
  }));
  refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
  await signedIn(app, ADA);
  refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
});

t.test('input of another form is refused before anything is counted', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  const { token, code } = await coded(app, ADA);
  const before = await rowOf(app, ADA);
  for (const given of ['', '1234567', '123456789', '1234 5678', '１２３４５６７８'])
    refused(t, await verifyCode(app, token, given), 422, 'invalid_input');
  refused(t, await app.post('/v1/login/code', { email: 'ada' }), 422, 'invalid_input');
  t.same(await rowOf(app, ADA), before);
  t.equal((await verifyCode(app, token, code)).statusCode, 200);
});
