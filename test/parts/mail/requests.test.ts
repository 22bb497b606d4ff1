import { readdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { folder } from '../../databases.ts';
import { freePort } from '../../free-port.ts';
import { mailbox } from '../../mailbox.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const until = async (condition: () => boolean) => {
  for (let turn = 0; turn < 1_000 && !condition(); turn += 1) await sleep(5);
};

t.test('a silent mail server does not delay requests', async (t) => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const { post } = await testApp(t, {
    env: { SIGN_UP: 'verified', MAIL_URL: `smtp://127.0.0.1:${port}` },
  });
  t.teardown(() => mute.close());
  const begun = Date.now();
  const answers = [];
  for (let turn = 0; turn < 10; turn += 1) {
    answers.push(await post('/v1/register', { email: `u${turn}@example.com` }));
    await sleep(15);
  }
  t.ok(Date.now() - begun < 2_000);
  for (const { statusCode } of answers) t.equal(statusCode, 202);
  await until(() => sockets.size > 0);
  t.ok(sockets.size > 0, 'the server was contacted, and is still silent');
  for (const socket of sockets) socket.destroy();
});

t.test('requests succeed without a mail server, and the log has the retries', async (t) => {
  const port = await freePort();
  const { post, events, logs, signUp, context } = await testApp(t, {
    env: { MAIL_URL: `smtp://127.0.0.1:${port}` },
  });
  t.equal((await post('/v1/register', { email: 'eve@example.com' })).statusCode, 202);
  await signUp('ada@example.com');
  t.equal((await post('/v1/password/forgot', { email: 'ada@example.com' })).statusCode, 202);
  await until(() => events().filter((event) => event === 'mail.retried').length === 3);
  await context.outbox.close();
  t.same(
    events()
      .filter((event) => event.startsWith('mail.'))
      .sort(),
    [...Array(3).fill('mail.given_up'), ...Array(3).fill('mail.retried')],
  );
  t.notMatch(JSON.stringify(logs), /#token=|eyJ/, 'the log contains no token');
});

t.test('a mail that the server first refuses is sent later', async (t) => {
  let refusals = 0;
  const box = await mailbox(t, {
    onRcptTo: (_address, _session, done) => {
      refusals += 1;
      done(refusals === 1 ? Object.assign(new Error('later'), { responseCode: 451 }) : undefined);
    },
  });
  const { post, events, logs } = await testApp(t, {
    env: { SIGN_UP: 'verified', MAIL_URL: box.url },
  });
  t.equal((await post('/v1/register', { email: 'ada@example.com' })).statusCode, 202);
  const token = await box.token('ada@example.com');
  const done = await post('/v1/register/complete', { token, password: PASSWORD });
  t.equal(done.statusCode, 201);
  t.same(
    events().filter((event) => event.startsWith('mail.')),
    ['mail.retried', 'mail.sent'],
  );
  t.notMatch(JSON.stringify(logs), token, 'no link is logged when mail is really sent');
});

t.test('in development mail goes to a folder, and links to the log', async (t) => {
  const path = folder(t);
  const { post, logs, context } = await testApp(t, {
    env: { SIGN_UP: 'verified', MAIL_URL: `file:${path}` },
  });
  await post('/v1/register', { email: 'ada@example.com' });
  await context.outbox.close();
  t.equal(readdirSync(path).length, 1);
  const line = logs.find(({ event }) => event === 'mail.sent');
  const token = /#token=(.+)$/.exec(String(line?.['link']))?.[1];
  const body = { token, password: PASSWORD };
  t.equal((await post('/v1/register/complete', body)).statusCode, 201);
});
