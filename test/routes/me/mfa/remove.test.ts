import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Authenticator, codeAt, withFactor, wrongCode } from '../../../authenticator.ts';
import { mailbox } from '../../../mailbox.ts';
import { butForCounts } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, testApp } from '../../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { post, as, login, refresh, context, events, clock } = app;
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const row = (email: string) => context.users.findByEmail(email);
const remove = (token: string, payload: object) =>
  as(token, { method: 'DELETE', url: '/v1/me/mfa/totp', payload });
const renew = (token: string, payload: object) =>
  as(token, { method: 'POST', url: '/v1/me/mfa/recovery-codes', payload });
const signInWithFactor = async (email: string, proof: object) =>
  post('/v1/login/mfa', { mfa_token: (await login(email)).json().mfa_token, ...proof });

let ada: Authenticator;

t.test('MFA-07 nothing is removed without both the password and a code', async (t) => {
  ada = await withFactor(t, app, 'ada@example.com');
  const token = ada.tokens.access_token;
  const before = await row('ada@example.com');
  const wrong = wrongCode(ada.secret, clock.now);
  for (const act of [remove, renew]) {
    refused(t, await act(token, { password: PASSWORD }), 422, 'invalid_input');
    refused(t, await act(token, { code: wrong }), 422, 'invalid_input');
    refused(t, await act(token, { password: PASSWORD, code: wrong }), 403, 'wrong_code');
    const guess = { password: PASSWORD, recovery_code: 'AAAA-AAAA-AAAA-AAAA' };
    refused(t, await act(token, guess), 403, 'wrong_code');
    const right = { code: codeAt(ada.secret, clock.now + 30_000), password: `${PASSWORD}!` };
    refused(t, await act(token, right), 403, 'wrong_password');
  }
  t.same(butForCounts(await row('ada@example.com')), butForCounts(before));
});

t.test('MFA-09 new recovery codes replace the old ones, and the owner gets a mail', async (t) => {
  const email = 'ada@example.com';
  const code = ada.code();
  await box.settled();
  const mails = box.mails.length;
  const count = happened().length;
  const answer = await renew(ada.tokens.access_token, { password: PASSWORD, code });
  t.equal(answer.statusCode, 200);
  const { recovery_codes: codes } = answer.json();
  t.equal(new Set([...codes, ...ada.recoveryCodes]).size, 20);
  t.same(happened().slice(count), ['mfa.recovery_codes_renewed']);
  t.equal(await box.settled(mails + 1), mails + 1);
  t.equal(box.mails.at(-1)?.mail.subject, 'New recovery codes');

  refused(t, await renew(ada.tokens.access_token, { password: PASSWORD, code }), 403, 'wrong_code');
  const old = { recovery_code: ada.recoveryCodes[0] };
  refused(t, await signInWithFactor(email, old), 401, 'invalid_code');
  t.equal((await signInWithFactor(email, { recovery_code: codes[0] })).statusCode, 200);
  t.equal((await refresh(ada.tokens.refresh_token)).statusCode, 200, 'no session ends');
  ada.recoveryCodes = codes;
});

t.test('a recovery code can be exchanged for a new set, once', async (t) => {
  const proof = { password: PASSWORD, recovery_code: ada.recoveryCodes[1] };
  const answers = await Promise.all([
    renew(ada.tokens.access_token, proof),
    renew(ada.tokens.access_token, proof),
  ]);
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 403]);
  ada.recoveryCodes = answers.find(({ statusCode }) => statusCode === 200)?.json().recovery_codes;
  t.equal((await row('ada@example.com'))?.mfa.recovery?.hashes.length, 10);
});

t.test(
  'MFA-07 REF-11 with the password and a code it is removed, and every other session ends',
  async (t) => {
    const email = 'ada@example.com';
    const here = (await signInWithFactor(email, { code: ada.code() })).json();
    const there = (await signInWithFactor(email, { code: ada.code() })).json();
    const code = ada.code();
    await box.settled();
    const mails = box.mails.length;
    const count = happened().length;
    const payload = { password: PASSWORD, code };
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => remove(here.access_token, payload)),
    );
    t.equal(answers.filter(({ statusCode }) => statusCode === 204).length, 1);
    t.same(happened().slice(count), ['mfa.disabled']);
    t.equal(await box.settled(mails + 1), mails + 1);
    t.equal(box.mails.at(-1)?.mail.subject, 'Second factor turned off');
    t.same((await row(email))?.mfa, { challenges: [] });

    refused(t, await refresh(there.refresh_token), 401, 'refresh_invalid');
    refused(t, await as(there.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    t.equal((await refresh(here.refresh_token)).statusCode, 200);
    t.equal((await login(email)).statusCode, 200, 'the password alone signs in');
    for (const act of [remove, renew]) {
      const again = { password: PASSWORD, code: ada.code() };
      refused(t, await act(here.access_token, again), 409, 'mfa_not_enabled');
    }
  },
);

t.test('a recovery code removes the second factor of a lost device', async (t) => {
  const email = 'lost@example.com';
  const { tokens, recoveryCodes } = await withFactor(t, app, email);
  const payload = { password: PASSWORD, recovery_code: recoveryCodes[4] };
  t.equal((await remove(tokens.access_token, payload)).statusCode, 204);
  t.equal((await login(email)).statusCode, 200);
});

t.test('a factor that goes while new codes are made is not there any more', async (t) => {
  const own = await testApp(t, { pace: 'real' });
  const email = 'race@example.com';
  const dora = await withFactor(t, own, email);
  const row = () => own.context.users.findByEmail(email);
  const id = (await row())?.id as string;
  const code = dora.code();
  const lastStep = async () => (await row())?.mfa.totp?.last_step;
  const before = await lastStep();
  const renewing = own.as(dora.tokens.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/recovery-codes',
    payload: { password: PASSWORD, code },
  });
  while ((await lastStep()) === before) await sleep(1);
  await own.context.users.change(id, (user) => ({
    user: { ...user, mfa: { challenges: [] } },
    result: undefined,
  }));
  refused(t, await renewing, 409, 'mfa_not_enabled');
  t.same((await row())?.mfa, { challenges: [] });
});
