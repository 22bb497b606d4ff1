import t from 'tap';
import { codeAt, withFactor } from '../../authenticator.ts';
import { mailbox } from '../../mailbox.ts';
import { admin } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const NEXT = 'a lantern in the rainy harbour';
const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { post, inject, as, refresh, signUp, login, context, events, clock } = app;
const rowOf = async (email: string) => {
  const user = await context.users.findByEmail(email);
  if (user === undefined) throw new Error(`nobody is ${email}`);
  return user;
};
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const forgot = (email: string) => post('/v1/password/forgot', { email });
const reset = (token: string, password = NEXT) => post('/v1/password/reset', { token, password });
async function linkFor(email: string) {
  t.equal((await forgot(email)).statusCode, 202);
  for (;;) {
    const { mail } = await box.next(email);
    const token = /reset-password#token=([\w.-]+)/.exec(mail.text ?? '')?.[1];
    if (token) return token;
  }
}
/** An account with a verified address. */
async function proven(email: string) {
  const tokens = await signUp(email);
  const token = await box.token(email);
  t.equal((await post('/v1/email/confirm', { token })).statusCode, 204);
  return tokens;
}

t.test('EML-01 a stranger cannot tell which addresses have an account', async (t) => {
  for (const email of ['known@example.com', 'disabled@example.com']) {
    await signUp(email);
    await box.next(email);
  }
  const { id } = await rowOf('disabled@example.com');
  await context.users.change(id, (user) => ({
    user: { ...user, status: 'disabled' },
    result: undefined,
  }));
  const before = await rowOf('known@example.com');
  const count = happened().length;
  await box.settled();
  const mails = box.mails.length;
  const answers = [];
  for (const email of ['known@example.com', 'unknown@example.com', 'disabled@example.com'])
    answers.push(await forgot(email));
  const shown = answers.map(({ statusCode, headers: { date: _date, ...headers }, payload }) =>
    JSON.stringify({ statusCode, headers, payload }),
  );
  t.equal(new Set(shown).size, 1);
  t.equal(answers[0]?.statusCode, 202);
  t.equal(await box.settled(mails + 1), mails + 1, 'one of the three gets a mail');
  t.same(box.mails.at(-1)?.recipients, ['known@example.com']);
  const stored = { ...before, reset_letters: 1, row_version: before.row_version + 1 };
  t.same(await rowOf('known@example.com'), stored, 'and only the number of mails is stored');
  t.equal(happened().length, count);
});

t.test('the link goes to the address of the account as stored, not as typed', async (t) => {
  await signUp('nfkc@example.com');
  await box.next('nfkc@example.com');
  const mails = box.mails.length;
  await forgot('ＮＦＫＣ@example.com');
  t.equal(await box.settled(mails + 1), mails + 1);
  t.same(box.mails.at(-1)?.recipients, ['nfkc@example.com']);
});

t.test('REF-11 the link sets a new password, ends every session and signs nobody in', async (t) => {
  const email = 'ada@example.com';
  const first = await proven(email);
  const second = (await login(email)).json();
  const token = await linkFor(email);
  const count = happened().length;
  await box.settled();
  const mails = box.mails.length;

  const answer = await reset(token);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  t.equal(answer.headers['set-cookie'], undefined);
  t.same(happened().slice(count), ['password.changed']);
  t.equal(await box.settled(mails + 1), mails + 1);
  const notice = box.mails.at(-1);
  t.equal(notice?.mail.subject, 'Your password was changed');
  t.same(notice?.recipients, [email]);

  for (const { access_token, refresh_token } of [first, second]) {
    refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  }
  refused(t, await login(email), 401, 'invalid_credentials');
  t.equal((await login(email, NEXT)).statusCode, 200);
});

t.test('EML-03 a link works once; of twenty uses at once, one succeeds', async (t) => {
  const email = 'race@example.com';
  await proven(email);
  const token = await linkFor(email);
  const before = await rowOf(email);
  const count = happened().length;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => reset(token, `the new password, number ${index}`)),
  );
  const winner = answers.findIndex(({ statusCode }) => statusCode === 204);
  t.equal(answers.filter(({ statusCode }) => statusCode === 204).length, 1);
  for (const answer of answers.filter((_, index) => index !== winner))
    refused(t, answer, 400, 'link_invalid');
  t.same(happened().slice(count), ['password.changed']);
  t.equal((await rowOf(email)).token_version, before.token_version + 1);
  t.equal((await login(email, `the new password, number ${winner}`)).statusCode, 200);
  refused(t, await reset(token), 400, 'link_invalid');
});

t.test('EML-02 a link works for ten minutes', async (t) => {
  const email = 'slow@example.com';
  await proven(email);
  const token = await linkFor(email);
  clock.advance(599_000);
  refused(t, await reset(token, 'short'), 422, 'invalid_input');
  clock.advance(1_000);
  const before = await rowOf(email);
  refused(t, await reset(token), 400, 'link_invalid');
  t.same(await rowOf(email), before);
});

t.test(
  'EML-04 EML-02 a link stops working when the password changes in another way or by another link',
  async (t) => {
    const email = 'change@example.com';
    const { access_token } = await proven(email);
    const [one, two] = [await linkFor(email), await linkFor(email)];
    const changed = await as(access_token, {
      method: 'PUT',
      url: '/v1/me/password',
      payload: { current_password: PASSWORD, new_password: NEXT },
    });
    t.equal(changed.statusCode, 200);
    for (const token of [one, two])
      refused(t, await reset(token, 'the password of a thief'), 400, 'link_invalid');
    clock.advance(3_600_000);
    const [three, four] = [await linkFor(email), await linkFor(email)];
    t.equal((await reset(four, PASSWORD)).statusCode, 204);
    refused(t, await reset(three), 400, 'link_invalid');
    t.equal((await login(email)).statusCode, 200);
  },
);

t.test(
  'EML-02 EML-04 a link stops working when the address that it was mailed to changes',
  async (t) => {
    const old = 'lostbox@example.com';
    const { access_token } = await proven(old);
    const stolen = await linkFor(old);
    await as(access_token, {
      method: 'PUT',
      url: '/v1/me/email',
      payload: { email: 'safebox@example.com', password: PASSWORD },
    });
    const token = await box.token('safebox@example.com');
    t.equal((await post('/v1/email/confirm', { token })).statusCode, 204);
    refused(t, await reset(stolen), 400, 'link_invalid');
    t.equal((await login('safebox@example.com')).statusCode, 200, 'the password has not changed');
  },
);

t.test('the link of an account that was disabled or deleted meanwhile is invalid', async (t) => {
  const email = 'gone@example.com';
  const { access_token } = await proven(email);
  const token = await linkFor(email);
  const { id } = await rowOf(email);
  const set = (status: 'active' | 'disabled') =>
    context.users.change(id, (user) => ({ user: { ...user, status }, result: undefined }));
  await set('disabled');
  refused(t, await reset(token), 400, 'link_invalid');
  await set('active');
  await as(access_token, { method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } });
  refused(t, await reset(token), 400, 'link_invalid');
  t.equal((await context.users.findById(id))?.password_hash, null);
});

t.test('EML-08 neither a refused password nor opening the link uses it up', async (t) => {
  const email = 'looked@example.com';
  await proven(email);
  const token = await linkFor(email);
  for (const method of ['GET', 'HEAD'] as const)
    t.equal((await inject({ method, url: `/v1/password/reset?token=${token}` })).statusCode, 405);
  refused(t, await reset(token, 'short'), 422, 'invalid_input');
  t.equal((await login(email)).statusCode, 200);
  t.equal((await reset(token)).statusCode, 204);
});

t.test(
  'EML-05 MFA-02 a reset keeps the second factor of an account with a verified address',
  async (t) => {
    const email = 'factor@example.com';
    const { secret, tokens, recoveryCodes } = await withFactor(t, app, email, {
      email_verified_at: clock.now,
    });
    t.equal((await reset(await linkFor(email))).statusCode, 204);
    refused(t, await refresh(tokens.refresh_token), 401, 'refresh_invalid');
    const answer = await login(email, NEXT);
    t.equal(answer.statusCode, 202, 'a code is still required');
    const { mfa_token, methods } = answer.json();
    t.same(methods, ['totp', 'recovery_code']);
    clock.advance(30_000);
    const body = { mfa_token, code: codeAt(secret, clock.now) };
    t.equal((await post('/v1/login/mfa', body)).statusCode, 200);
    const again = (await login(email, NEXT)).json();
    const recovery = { mfa_token: again.mfa_token, recovery_code: recoveryCodes[0] };
    t.equal(
      (await post('/v1/login/mfa', recovery)).statusCode,
      200,
      'the recovery codes still work',
    );
  },
);

t.test('AUT-10 a reset takes an account away from a stranger who made it', async (t) => {
  const email = 'victim@example.com';
  // The victim has opened the link in the stranger's letter.
  const attacker = await withFactor(t, app, email, { claimed_at: 0 });
  await box.next(email);
  const asked = await as(attacker.tokens.access_token, {
    method: 'PUT',
    url: '/v1/me/email',
    payload: { email: 'attacker@example.com', password: PASSWORD },
  });
  t.equal(asked.statusCode, 202);
  const moving = await box.token('attacker@example.com');
  const challenge = (await login(email)).json();

  t.equal((await reset(await linkFor(email))).statusCode, 204);
  refused(t, await refresh(attacker.tokens.refresh_token), 401, 'refresh_invalid');
  refused(t, await as(attacker.tokens.access_token, { url: '/v1/me' }), 401, 'token_revoked');
  refused(t, await post('/v1/email/confirm', { token: moving }), 400, 'link_invalid');
  const body = { mfa_token: challenge.mfa_token, code: attacker.code() };
  refused(t, await post('/v1/login/mfa', body), 401, 'challenge_invalid');
  refused(t, await login(email), 401, 'invalid_credentials');
  const owner = await login(email, NEXT);
  t.equal(owner.statusCode, 200, 'the second factor of the attacker is gone');
  const me = (await as(owner.json().access_token, { url: '/v1/me' })).json();
  t.match(me, { email, email_verified: true });
  t.same((await rowOf(email)).mfa, { challenges: [] });
});

t.test('EML-02 EML-03 every invalid link gets the same answer', async (t) => {
  const email = 'forger@example.com';
  await proven(email);
  const { id } = await rowOf(email);
  const iat = Math.floor(clock.now / 1_000);
  const ours = { sub: id, jti: 'x', iat, exp: iat + 60 };
  const before = await rowOf(email);
  const bodies = new Set<string>();
  for (const token of [
    'x',
    context.ownTokens.issue('reset', { ...ours, was: 'another state' }),
    context.ownTokens.issue('reset', { ...ours, sub: 'nobody', was: 'x' }),
    context.ownTokens.issue('device', ours),
    context.ownTokens.issue('sign-up', { ...ours, sub: email }),
  ]) {
    const problem = refused(t, await reset(token), 400, 'link_invalid');
    bodies.add(JSON.stringify({ ...problem, instance: '' }));
  }
  t.equal(bodies.size, 1);
  t.same(await rowOf(email), before);
});

t.test(
  'EML-04 a newer letter invalidates the older link; a letter that the limit holds back does not',
  async (t) => {
    const email = 'twice@example.com';
    await proven(email);
    const links = [await linkFor(email), await linkFor(email), await linkFor(email)];
    await box.settled();
    const mails = box.mails.length;
    // A stranger keeps asking.
    for (let turn = 0; turn < 10; turn += 1) t.equal((await forgot(email)).statusCode, 202);
    t.equal(await box.settled(), mails, 'three letters an hour');
    const [first = '', second = '', newest = ''] = links;
    for (const older of [first, second]) refused(t, await reset(older), 400, 'link_invalid');
    t.equal((await reset(newest)).statusCode, 204, 'the link of the last letter works');
    refused(t, await reset(newest, 'another lantern altogether'), 400, 'link_invalid');
  },
);

t.test(
  'EML-04 a stranger who asks for a reset link does not invalidate an invitation',
  async (t) => {
    const root = await admin(app);
    const email = 'invited@example.com';
    await as(root.access_token, { method: 'POST', url: '/v1/users', payload: { email } });
    const invitation = await box.token(email);
    const link = await linkFor(email);
    clock.advance(3_600_000);
    refused(t, await reset(link), 400, 'link_invalid');
    t.equal((await reset(invitation)).statusCode, 204);
    refused(t, await reset(invitation, 'another lantern altogether'), 400, 'link_invalid');
    t.equal((await login(email, NEXT)).statusCode, 200);
  },
);

t.test('the current password is refused as the new one, and the link still works', async (t) => {
  const email = 'same@example.com';
  const { refresh_token } = await proven(email);
  const token = await linkFor(email);
  const { errors } = refused(t, await reset(token, PASSWORD), 422, 'invalid_input');
  t.same(errors, [{ path: '/password', message: 'is the password that you have now' }]);
  t.equal((await refresh(refresh_token)).statusCode, 200, 'no session ended');
  t.equal((await reset(token)).statusCode, 204);
});
