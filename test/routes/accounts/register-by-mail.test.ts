import t from 'tap';
import { mailbox, tokenOf } from '../../mailbox.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const APP_URL = 'https://app.example.com';
const box = await mailbox(t);
const app = await testApp(t, { env: { SIGN_UP: 'verified', MAIL_URL: box.url, APP_URL } });
const { post, inject, context, events, clock } = app;
const rows = () => context.users.list({ kind: 'person', limit: 1_000 });
const happened = () => events().filter((event) => !event.startsWith('mail.'));

/** An answer without the parts that differ from request to request. */
const masked = ({ statusCode, headers, payload }: Awaited<ReturnType<typeof post>>) => {
  const { date: _date, ...others } = headers;
  return { statusCode, headers: others, payload: payload.replace(/"instance":"[^"]*"/, '') };
};

t.test('an address without a password gets a link by mail, and nothing is stored', async (t) => {
  const answer = await post('/v1/register', { email: ' Ada@Example.com ' });
  t.equal(answer.statusCode, 202);
  const { mail, recipients } = await box.next();
  t.same(recipients, ['Ada@example.com']);
  t.equal(mail.subject, 'Finish signing up at Latchkey');
  t.match(mail.text, `${APP_URL}/sign-up#token=`);
  t.same(await rows(), []);
  t.same(happened(), []);
  t.notMatch(answer.payload, 'token');
  refused(
    t,
    await post('/v1/login', { email: 'ada@example.com', password: PASSWORD }),
    401,
    'invalid_credentials',
  );
});

t.test(
  'AUT-03 a stranger cannot tell a known address from an unknown one, and its owner gets a mail',
  async (t) => {
    const email = 'known@example.com';
    await post('/v1/register', { email });
    const token = await box.token(email);
    await post('/v1/register/complete', { token, password: PASSWORD });
    const before = await context.users.findByEmail(email);
    const eventsBefore = happened();

    const known = await post('/v1/register', { email: ' KNOWN@example.com' });
    const unknown = await post('/v1/register', { email: 'stranger@example.com' });
    t.same(masked(known), masked(unknown));
    const note = await box.next(email);
    t.equal(note.mail.subject, 'You already have an account at Latchkey');
    t.equal(tokenOf(note), undefined, 'the notice has no token');
    t.same(note.recipients, [email], 'to the address as its owner wrote it');
    await box.next('stranger@example.com');
    t.same(await context.users.findByEmail(email), before);
    t.same(happened(), eventsBefore);
  },
);

t.test(
  'a sign-up with a password is refused until the address is verified, known or not',
  async (t) => {
    const mails = await box.settled();
    for (const email of ['new@example.com', 'known@example.com']) {
      const answer = await post('/v1/register', { email, password: PASSWORD });
      refused(t, answer, 403, 'email_verification_required');
    }
    t.equal(await context.users.findByEmail('new@example.com'), undefined);
    t.equal(await box.settled(), mails, 'no mail');
  },
);

t.test(
  'EML-09 one address gets three mails an hour, and the answers do not show the limit',
  async (t) => {
    const email = 'flooded@example.com';
    const answers = [];
    for (let turn = 0; turn < 6; turn += 1) answers.push(await post('/v1/register', { email }));
    await post('/v1/register', { email: 'FLOODED@example.com' });
    t.equal(new Set(answers.map((answer) => JSON.stringify(masked(answer)))).size, 1);
    await box.settled();
    const count = () =>
      box.mails.filter(({ recipients }) => recipients[0]?.toLowerCase() === email).length;
    t.equal(count(), 3);
    clock.advance(3_600_000);
    await post('/v1/register', { email });
    await box.settled();
    t.equal(count(), 4);
  },
);

t.test(
  'EML-06 EML-07 links are built from the configuration, never from the request',
  async (t) => {
    const evil = 'evil.example.net';
    const forged = {
      host: evil,
      'x-forwarded-host': evil,
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '8443',
      forwarded: `host=${evil};proto=http`,
      origin: `https://${evil}`,
      referer: `https://${evil}/`,
      'x-original-url': `https://${evil}/`,
    };
    for (const [index, path] of ['/v1/register', '/v1/password/forgot'].entries()) {
      const email = index === 0 ? 'forged@example.com' : 'known@example.com';
      const answer = await post(path, { email }, forged);
      t.equal(answer.statusCode, 202);
      const { raw, mail } = await box.next(email);
      t.notMatch(raw, evil);
      t.match(mail.text, `${APP_URL}/`);
      t.notMatch(`${mail.text}${mail.html}`, /http:\/\//);
    }
  },
);

t.test('EML-11 several addresses in one are refused, and nothing is sent', async (t) => {
  const mails = await box.settled();
  for (const email of [
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com,eve@example.com',
    'ada@example.com;eve@example.com',
    'Eve <eve@example.com>',
    '"a b"@example.com',
    'a\ud800@example.com',
    'a\udc00b@example.com',
  ]) {
    for (const path of ['/v1/register', '/v1/password/forgot'])
      refused(t, await post(path, { email }), 422, 'invalid_input');
  }
  t.equal(await box.settled(), mails);
});

t.test('a name needs a password, and unknown fields are refused', async (t) => {
  const email = 'field@example.com';
  for (const [field, value] of Object.entries({
    name: 'Ada',
    roles: ['admin'],
    email_verified: true,
    status: 'active',
  })) {
    refused(t, await post('/v1/register', { email, [field]: value }), 422, 'invalid_input');
  }
  t.equal(await context.users.findByEmail(email), undefined);
});

t.test('EML-08 a GET on a sign-up route does nothing', async (t) => {
  const mails = await box.settled();
  for (const url of ['/v1/register', '/v1/register/complete', '/v1/password/forgot']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await inject({ method, url: `${url}?email=look@example.com` });
      t.equal(answer.statusCode, 405);
    }
  }
  t.equal(await box.settled(), mails);
});

t.test('with sign-up closed there are no links, and older links no longer work', async (t) => {
  await post('/v1/register', { email: 'late@example.com' });
  const token = await box.token('late@example.com');
  const closed = await testApp(t, { env: { SIGN_UP: 'closed', MAIL_URL: box.url }, clock });
  const mails = await box.settled();
  refused(t, await closed.post('/v1/register', { email: 'x@example.com' }), 403, 'sign_up_closed');
  const body = { token, password: PASSWORD };
  refused(t, await closed.post('/v1/register/complete', body), 403, 'sign_up_closed');
  t.same(await closed.context.users.list({ kind: 'person', limit: 10 }), []);
  t.equal(await box.settled(), mails);
});

t.test(
  'with sign-up open the account exists at once, unverified, and a link verifies it',
  async (t) => {
    const open = await testApp(t, { env: { SIGN_UP: 'open', MAIL_URL: box.url }, clock });
    const email = 'open@example.com';
    const { access_token } = await open.signUp(email);
    const me = async () => (await open.as(access_token, { url: '/v1/me' })).json();
    t.match(await me(), { email, email_verified: false });
    const { mail, recipients } = await box.next(email);
    t.same(recipients, [email]);
    t.equal(mail.subject, 'Confirm your email address');
    const mails = await box.settled();
    refused(t, await open.post('/v1/register', { email, password: PASSWORD }), 409, 'email_taken');
    t.equal(await box.settled(), mails, 'a refused sign-up sends no mail');
    t.equal((await open.post('/v1/register', { email: 'other@example.com' })).statusCode, 202);
    t.match((await box.next('other@example.com')).mail.text, '/sign-up#token=');
    t.equal(await open.context.users.findByEmail('other@example.com'), undefined);
  },
);
