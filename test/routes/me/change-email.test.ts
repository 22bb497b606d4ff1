import t from 'tap';
import { mailbox, tokenOf } from '../../mailbox.ts';
import { butForCounts } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const APP_URL = 'https://app.example.com';
const box = await mailbox(t);
const { post, as, signUp, login, context, events } = await testApp(t, {
  env: { MAIL_URL: box.url, APP_URL },
});
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const change = (token: string, email: string, password = PASSWORD, headers = {}) =>
  as(token, { method: 'PUT', url: '/v1/me/email', headers, payload: { email, password } });
const row = (email: string) => context.users.findByEmail(email);

t.test(
  'EML-10 the new address gets a link and the old one a warning, and nothing has changed yet',
  async (t) => {
    const old = 'ada@example.com';
    const { access_token } = await signUp(old);
    await box.next(old);
    const before = await row(old);
    const count = happened().length;
    const evil = { host: 'evil.example.net', origin: 'https://evil.example.net' };
    const answer = await change(access_token, 'ada@example.org', PASSWORD, evil);
    t.equal(answer.statusCode, 202);
    const [link, warning] = [await box.next('ada@example.org'), await box.next(old)];
    t.match(link.mail.text, `${APP_URL}/confirm-email#token=`);
    t.equal(warning.mail.subject, 'Your email address is about to change');
    t.equal(tokenOf(warning), undefined);
    t.notMatch(link.raw + warning.raw, 'evil.example.net');
    t.notMatch(warning.raw, 'ada@example.org', 'the old mailbox does not learn the new address');
    t.same(butForCounts(await row(old)), butForCounts(before));
    t.equal(await row('ada@example.org'), undefined);
    t.same(happened().slice(count), ['email.change_asked']);
  },
);

t.test(
  'EML-10 EML-11 a change of address needs the password and exactly one address',
  async (t) => {
    const { access_token } = (await login()).json();
    const mails = await box.settled();
    const before = await row('ada@example.com');
    refused(t, await change(access_token, 'x@example.org', `${PASSWORD}!`), 403, 'wrong_password');
    for (const email of ['x', 'x@example.org,y@example.org', 'x@example.org\r\nBcc: y@example.org'])
      refused(t, await change(access_token, email), 422, 'invalid_input');
    t.equal(await box.settled(), mails);
    t.same(butForCounts(await row('ada@example.com')), butForCounts(before));
  },
);

t.test('only the owner of an address learns that it has an account', async (t) => {
  await signUp('owner@example.com');
  await box.next('owner@example.com');
  await box.settled();
  const mails = box.mails.length;
  const { access_token } = (await login()).json();
  const taken = await change(access_token, 'OWNER@example.com');
  const free = await change(access_token, 'free@example.com');
  t.equal(taken.statusCode, free.statusCode);
  t.equal(taken.payload, free.payload);
  const note = await box.next('owner@example.com');
  t.equal(note.mail.subject, 'You already have an account at Latchkey');
  t.equal(tokenOf(note), undefined);
  t.ok(tokenOf(await box.next('free@example.com')));
  t.equal(await box.settled(mails + 4), mails + 4, 'the old address is warned both times');
});

t.test(
  'asking for the present address sends a link that verifies it, and no warning',
  async (t) => {
    const email = 'self@example.com';
    const { access_token } = await signUp(email);
    await box.next(email);
    await box.settled();
    const mails = box.mails.length;
    t.equal((await change(access_token, 'Self@Example.com')).statusCode, 202);
    t.equal(await box.settled(mails + 1), mails + 1);
    const token = tokenOf(box.mails.at(-1) as (typeof box.mails)[number]) as string;
    t.equal((await post('/v1/email/confirm', { token })).statusCode, 204);
    t.match(await row(email), { email: 'Self@Example.com', email_key: email });
    t.equal(await box.settled(mails + 1), mails + 1, 'and no mail about a change');
  },
);

t.test('one mailbox gets three letters an hour, no matter who asks', async (t) => {
  const { access_token } = (await login()).json();
  for (let turn = 0; turn < 5; turn += 1)
    t.equal((await change(access_token, 'flooded@example.com')).statusCode, 202);
  await box.settled();
  const got = box.mails.filter(({ recipients }) => recipients.includes('flooded@example.com'));
  t.equal(got.length, 3);
});
