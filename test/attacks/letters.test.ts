import t from 'tap';
import { asked, mailedCode, verifyCode } from '../mail-codes.ts';
import { mailbox } from '../mailbox.ts';
import { signedIn } from '../people.ts';
import { type TestApp, testApp } from '../test-app.ts';

const ADA = 'ada@example.com';
const NEXT = 'a lantern in the rainy harbour';
const MINUTE = 60_000;

/** The routes as this address sees them. */
const from = (app: TestApp, remoteAddress: string) => ({
  post: (url: string, payload: object = {}) =>
    app.inject({ method: 'POST', url, payload, remoteAddress }),
});
const STRANGER = '192.0.2.66';
const OWNER = '198.51.100.7';

t.test('a stranger who asks for letters keeps no owner off a new device', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  // No password, and the new device has no token.
  await signedIn(app, ADA, { password_hash: null });
  for (const address of [STRANGER, ...['1', '2', '3'].map((net) => `2001:db8:0:${net}::66`)])
    for (let turn = 0; turn < 6; turn += 1) {
      await asked(from(app, address), ADA);
      await from(app, address).post('/v1/password/forgot', { email: ADA });
    }
  const caused = await box.settled();
  for (let seen = 0; seen < caused; seen += 1) await box.next();

  const token = await asked(from(app, OWNER), ADA);
  const code = await mailedCode(box, ADA);
  t.equal((await verifyCode(app, token, code)).statusCode, 200, 'by a code');
  const { statusCode } = await from(app, OWNER).post('/v1/password/forgot', { email: ADA });
  t.equal(statusCode, 202);
  const reset = { token: await box.token(ADA), password: NEXT };
  t.equal((await app.post('/v1/password/reset', reset)).statusCode, 204, 'by a new password');
  t.equal((await app.login(ADA, NEXT)).statusCode, 200);
  t.equal(caused, 12, 'three letters of each kind for each of the two networks of the stranger');
});

t.test('nor does one with any number of networks: the mailbox has a link that works', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  await signedIn(app, ADA, { password_hash: null });
  const sent = [];
  for (let minute = 0; minute < 60; minute += 1) {
    for (let net = 0; net < 15; net += 1)
      await from(app, `203.0.113.${net}`).post('/v1/password/forgot', { email: ADA });
    sent.push(await box.settled());
    app.clock.advance(MINUTE);
  }
  t.equal(sent[0], 12, 'twelve letters at once');
  t.equal(sent.at(-1), 17, 'and then one when the last one has expired');

  await from(app, OWNER).post('/v1/password/forgot', { email: ADA });
  let token = '';
  for (const _ of await box.arrived(await box.settled())) token = await box.token(ADA);
  t.equal((await app.post('/v1/password/reset', { token, password: NEXT })).statusCode, 204);
  t.equal((await app.login(ADA, NEXT)).statusCode, 200);
});

t.test('the answers are the same for an address without an account, at every limit', async (t) => {
  const app = await testApp(t);
  await signedIn(app, ADA);
  const answers = new Set<string>();
  for (let turn = 0; turn < 5; turn += 1)
    for (const email of [ADA, 'nobody@example.com']) {
      const forgot = await app.post('/v1/password/forgot', { email });
      const code = await app.post('/v1/login/code', { email });
      const { code_token, ...rest } = code.json();
      t.type(code_token, 'string');
      answers.add(JSON.stringify([forgot.statusCode, forgot.payload, code.statusCode, rest]));
    }
  t.equal(answers.size, 1);
});
