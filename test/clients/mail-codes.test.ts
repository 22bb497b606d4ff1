import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import type { Challenge } from '../../src/clients/client.d.ts';
import { createClient } from '../../src/clients/client.js';
import { createMailCodes } from '../../src/clients/client-mail-codes.js';
import { codeFor, mailedCode, wrongMailCode } from '../mail-codes.ts';
import { mailbox } from '../mailbox.ts';
import { factor, signedIn } from '../people.ts';
import { testApp } from '../test-app.ts';
import { storageIn } from './storage.ts';

const ADA = 'ada@example.com';

/** The module with a client, as an app has it. */
async function module(t: Test) {
  const box = await mailbox(t);
  const node = await testApp(t, { env: { MAIL_URL: box.url } });
  const url = await node.app.listen({ host: '127.0.0.1', port: 0 });
  const ada = await signedIn(node, ADA);
  const items = new Map<string, string>();
  const client = createClient({ url, transport: 'body', storage: storageIn(items) });
  t.teardown(() => client.close());
  return { node, box, ada, items, client, mailCodes: createMailCodes(client) };
}

t.test('the module sends a code and signs in with it', async (t) => {
  const { box, client, mailCodes, ada } = await module(t);
  const sent = await mailCodes.send(ADA);
  const code = await mailedCode(box, ADA);
  await t.rejects(mailCodes.signIn(sent, wrongMailCode(code)), { code: 'mail_code_refused' });
  t.notOk(client.signedIn);
  t.equal(await mailCodes.signIn(sent, code), undefined);
  t.equal(client.signedIn, true);
  t.match(decodeJwt((await client.token()) ?? ''), { sub: ada.id, amr: ['otp'] });
});

t.test('the module hands out the challenge of an account with a second factor', async (t) => {
  const { node, client, mailCodes, ada } = await module(t);
  const { mfa, code } = factor(node, ada);
  await node.context.users.change(ada.id, (user) => ({ user: { ...user, mfa }, result: 1 }));
  const sent = await mailCodes.send(ADA);
  const challenge = await mailCodes.signIn(sent, await codeFor(node, ADA, sent.code_token));
  t.match(challenge, { methods: ['totp'] });
  await client.answerChallenge(challenge as Challenge, { code: code() });
  t.equal(client.signedIn, true);
});

t.test('a known device has letters of its own', async (t) => {
  const { box, items, mailCodes, ada } = await module(t);
  for (let count = 0; count < 4; count += 1) await mailCodes.send(ADA);
  t.equal(await box.settled(), 3);
  items.set('latchkey.device', ada.device_token);
  await mailCodes.send(ADA);
  t.equal(await box.settled(), 4);
});
