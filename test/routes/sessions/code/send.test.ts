import t from 'tap';
import { asked, coded, mailedCode, rowOf, verifyCode } from '../../../mail-codes.ts';
import { mailbox } from '../../../mailbox.ts';
import { signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { testApp } from '../../../test-app.ts';

const ADA = 'ada@example.com';

t.test('the letter says where it was asked for, and has nothing to open', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  await signedIn(app, ADA);
  const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0 evil' };
  await app.post('/v1/login/code', { email: ADA }, headers);
  const { text = '', html, subject } = (await box.next(ADA)).mail;
  t.match(text, 'on 23 November 2026 at 18:00 UTC, with Firefox on Linux.');
  t.notMatch(text, 'evil');
  t.notMatch(`${text} ${html}`, 'http');
  t.notMatch(subject, /\d/);
});

t.test('a stranger who asks for codes locks nobody out', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const { device_token } = await signedIn(app, ADA);
  const first = await asked(app, ADA);
  const code = await mailedCode(box, ADA);
  for (let count = 0; count < 5; count += 1) await asked(app, ADA);
  t.equal(await box.settled(), 3, 'three letters an hour');
  await asked(app, ADA, { device_token });
  await box.next(ADA);
  t.equal(await box.settled(), 4, 'those to a known device are counted apart');
  t.equal((await verifyCode(app, first, code)).statusCode, 200);
  app.clock.advance(3_600_000);
  await asked(app, ADA);
  t.equal(await box.settled(), 5);
});

t.test('a code makes no account, and opens none that is not active', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url, SIGN_UP: 'open' } });
  await signedIn(app, ADA, { status: 'disabled' });
  for (const email of [ADA, 'nobody@example.com']) {
    const token = await asked(app, email);
    refused(t, await verifyCode(app, token, '00000000'), 401, 'mail_code_refused');
  }
  const { token, code } = await coded(app, ADA);
  refused(t, await verifyCode(app, token, code), 401, 'mail_code_refused');
  t.equal(await box.settled(), 0);
  t.equal(await rowOf(app, 'nobody@example.com'), undefined);
});
