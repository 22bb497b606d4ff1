import t from 'tap';
import { asked, coded, mailedCode, rowOf, verifyCode } from '../../../mail-codes.ts';
import { mailbox } from '../../../mailbox.ts';
import { signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, testApp } from '../../../test-app.ts';

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

t.test('who makes an account with the address of somebody else floods nobody', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url, SIGN_UP: 'open' } });
  const stranger = await app.signUp(ADA);
  const devices = [stranger.device_token];
  for (let count = 0; count < 3; count += 1)
    devices.push((await app.login(ADA)).json().device_token);
  await box.settled();
  const subjects = () => box.mails.map(({ mail }) => String(mail.subject));
  const before = subjects().length;
  for (const device_token of devices)
    for (let count = 0; count < 4; count += 1) await asked(app, ADA, { device_token });
  await box.settled();
  t.equal(subjects().length - before, 3, 'no device has letters of its own');

  let [current_password, token] = [PASSWORD, stranger.access_token];
  for (let count = 0; count < 5; count += 1) {
    const new_password = `a lantern in the rainy harbour ${count}`;
    const payload = { current_password, new_password };
    const changed = await app.as(token, { method: 'PUT', url: '/v1/me/password', payload });
    t.equal(changed.statusCode, 200);
    [current_password, token] = [new_password, changed.json().access_token];
  }
  await box.settled();
  const told = subjects().filter((subject) => subject === 'Your password was changed');
  t.equal(told.length, 3, 'three notices an hour');

  app.clock.advance(3_600_000);
  const { access_token } = (await app.login(ADA, current_password)).json();
  for (let count = 0; count < 5; count += 1) {
    const payload = { email: `bob${count}@example.com`, password: current_password };
    await app.as(access_token, { method: 'PUT', url: '/v1/me/email', payload });
  }
  await box.settled();
  const warned = subjects().filter((subject) => /is about to change/.test(subject));
  t.equal(warned.length, 3, 'and three warnings');
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
