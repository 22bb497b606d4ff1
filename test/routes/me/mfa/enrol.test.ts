import t from 'tap';
import { renderSVG } from 'uqr';
import { codeAt } from '../../../authenticator.ts';
import { mailbox } from '../../../mailbox.ts';
import { butForCounts, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, testApp } from '../../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { as, login, refresh, context, events, clock } = app;
const signUp = (email: string) => signedIn(app, email);
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const row = (email: string) => context.users.findByEmail(email);
const enrol = (token: string, password = PASSWORD) =>
  as(token, { method: 'POST', url: '/v1/me/mfa/totp', payload: { password } });
const confirm = (token: string, code: string) =>
  as(token, { method: 'POST', url: '/v1/me/mfa/totp/confirm', payload: { code } });

t.test('MFA-06 MFA-05 enrolment needs the password, and shows the secret once', async (t) => {
  const email = 'ada@example.com';
  const { access_token } = await signUp(email);
  const before = await row(email);
  refused(t, await enrol(access_token, `${PASSWORD}!`), 403, 'wrong_password');
  t.same(butForCounts(await row(email)), butForCounts(before));

  const answer = await enrol(access_token);
  t.equal(answer.statusCode, 201);
  t.equal(answer.headers['cache-control'], 'no-store');
  const { secret, otpauth_uri, qr_svg } = answer.json();
  t.match(secret, /^[A-Z2-7]{32}$/);
  const uri = new URL(otpauth_uri);
  t.equal(uri.searchParams.get('secret'), secret);
  t.equal(decodeURIComponent(uri.pathname), `/Latchkey:${email}`);
  t.equal(qr_svg, renderSVG(otpauth_uri), 'the QR code is of that URI');
  t.match(qr_svg, /^<svg [\s\S]*<\/svg>$/);
  t.notMatch(qr_svg, /<script|href|<image/);

  t.notMatch(JSON.stringify(await row(email)), secret, 'the row does not contain it in plain text');
  const me = await as(access_token, { url: '/v1/me' });
  t.notMatch(me.payload, secret);
  t.equal(happened().at(-1), 'mfa.enrolment_begun');
});

t.test('MFA-06 a sign-in needs no code while the secret is unconfirmed', async (t) => {
  const email = 'pending@example.com';
  const { access_token, refresh_token } = await signUp(email);
  await enrol(access_token);
  t.equal((await login(email)).statusCode, 200);
  t.equal((await refresh(refresh_token)).statusCode, 200);
  const remove = {
    method: 'DELETE',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD, code: '123456' },
  } as const;
  refused(t, await as(access_token, remove), 409, 'mfa_not_enabled');
});

t.test('one right code of the newest secret turns it on', async (t) => {
  const email = 'confirm@example.com';
  const here = await signUp(email);
  const there = (await login(email)).json();
  refused(t, await confirm(here.access_token, '123456'), 409, 'mfa_not_enabled');
  const { secret: first } = (await enrol(here.access_token)).json();
  const { secret } = (await enrol(here.access_token)).json();
  t.not(secret, first);
  const before = await row(email);
  refused(t, await confirm(here.access_token, codeAt(first, clock.now)), 403, 'wrong_code');
  for (const steps of [-2, 1]) {
    const code = codeAt(secret, clock.now, steps);
    refused(t, await confirm(here.access_token, code), 403, 'wrong_code');
  }
  const after = await row(email);
  t.equal(after?.mfa.pending?.tries, 3, 'wrong codes are counted');
  t.equal(after?.mfa.totp, undefined, 'and turn nothing on');
  t.same(after?.sessions, before?.sessions);
  await box.settled();
  const mails = box.mails.length;
  const count = happened().length;

  const code = codeAt(secret, clock.now);
  const answer = await confirm(here.access_token, code);
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  const { recovery_codes } = answer.json();
  t.equal(new Set(recovery_codes).size, 10);
  const stored = JSON.stringify(await row(email));
  for (const one of recovery_codes) t.notOk(stored.includes(one), 'kept hashed');
  t.same(happened().slice(count), ['mfa.enabled']);
  t.equal(await box.settled(mails + 1), mails + 1);
  t.equal(box.mails.at(-1)?.mail.subject, 'Second factor turned on');

  refused(t, await refresh(there.refresh_token), 401, 'refresh_invalid');
  refused(t, await as(there.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  const next = await refresh(here.refresh_token);
  t.equal(next.statusCode, 200, 'this session has just proven the second factor');
  const { amr } = (await as(next.json().access_token, { url: '/v1/whoami' })).json();
  t.same(amr, ['pwd', 'otp', 'mfa']);
  const step = await login(email);
  t.equal(step.statusCode, 202);

  refused(t, await enrol(here.access_token), 409, 'mfa_enabled');
  refused(t, await confirm(here.access_token, codeAt(secret, clock.now)), 409, 'mfa_enabled');
  t.same((await row(email))?.mfa, JSON.parse(stored).mfa, 'the second factor has not changed');
});

t.test(
  'of five confirmations at once, one succeeds, and only its recovery codes are kept',
  async (t) => {
    const email = 'race@example.com';
    const { access_token } = await signUp(email);
    const { secret } = (await enrol(access_token)).json();
    const code = codeAt(secret, clock.now);
    const count = happened().length;
    const answers = await Promise.all(Array.from({ length: 5 }, () => confirm(access_token, code)));
    t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 200))
      refused(t, answer, 409, 'mfa_enabled');
    t.same(happened().slice(count), ['mfa.enabled']);
    t.equal((await row(email))?.mfa.recovery?.hashes.length, 10);
  },
);

t.test('a wrong code costs no hash', async (t) => {
  const own = await testApp(t, { pace: 'real' });
  const { access_token } = await signedIn(own, 'ada@example.com');
  const enrolment = {
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD },
  } as const;
  const { secret } = (await own.as(access_token, enrolment)).json();
  const confirm = (code: string) =>
    own.as(access_token, { method: 'POST', url: '/v1/me/mfa/totp/confirm', payload: { code } });
  const begun = process.cpuUsage();
  for (let turn = 0; turn < 5; turn += 1) await confirm(codeAt(secret, own.clock.now, 5 + turn));
  const { user, system } = process.cpuUsage(begun);
  t.ok(user + system < 750_000, 'fifty hashes would take seconds');
});

t.test('MFA-12 the address cannot add anything to the URI', async (t) => {
  const email = 'a&secret=x@b.co';
  const { access_token } = await signUp(email);
  const { secret, otpauth_uri } = (await enrol(access_token)).json();
  const uri = new URL(otpauth_uri);
  t.same(uri.searchParams.getAll('secret'), [secret]);
  t.equal(decodeURIComponent(uri.pathname), '/Latchkey:a secret=x@b.co');
});
