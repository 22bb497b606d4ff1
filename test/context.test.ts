import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { readConfig } from '../src/config.ts';
import { buildContext } from '../src/context.ts';
import { folder, opened } from './databases.ts';
import { mailbox } from './mailbox.ts';
import { keysFor, TestClock, testApp } from './test-app.ts';

t.test('missing keys are made, and read again at the next start', async (t) => {
  const path = join(folder(t), 'keys.json');
  const env = { SIGNING_KEYS: path, SIGNING_ALG: 'EdDSA' };
  const first = await testApp(t, { env });
  const second = await testApp(t, { env });
  t.match(first.context.keys.publicKeys(first.clock.now), { keys: [{ alg: 'EdDSA' }] });
  t.same(
    second.context.keys.publicKeys(second.clock.now),
    first.context.keys.publicKeys(first.clock.now),
  );
});

t.test(
  'if the key file disappears while running, the old keys stay and no new ones are made',
  async (t) => {
    const path = join(folder(t), 'keys.json');
    const { context, clock, signUp, refresh } = await testApp(t, { env: { SIGNING_KEYS: path } });
    const { refresh_token } = await signUp();
    const before = context.keys.publicKeys(clock.now);
    rmSync(path);
    await t.rejects(context.reloadKeys(), { message: 'the file does not exist' });
    t.notOk(existsSync(path));
    t.same(context.keys.publicKeys(clock.now), before);
    t.equal((await refresh(refresh_token)).statusCode, 200);
  },
);

t.test('an invalid key file is refused on reload, a valid one is accepted', async (t) => {
  const path = join(folder(t), 'keys.json');
  const { context, clock } = await testApp(t, { env: { SIGNING_KEYS: path } });
  const before = context.keys.signingKey(clock.now)?.kid;
  const text = readFileSync(path, 'utf8');
  for (const bad of ['', '{', '{"keys":[]}', text.slice(0, 50)]) {
    writeFileSync(path, bad);
    await t.rejects(context.reloadKeys());
    t.equal(context.keys.signingKey(clock.now)?.kid, before);
  }
  writeFileSync(path, keysFor('ES256'));
  await context.reloadKeys();
  t.not(context.keys.signingKey(clock.now)?.kid, before);
});

t.test('inline keys are read, and no file is written', async (t) => {
  const { context, clock } = await testApp(t, { env: { SIGNING_KEYS: ` ${keysFor('ES256')}` } });
  await context.reloadKeys();
  t.equal(context.keys.publicKeys(clock.now).keys.length, 1);
});

t.test('by default it uses the configured database and the real clock', async (t) => {
  const config = readConfig({ DATABASE_URL: 'file::memory:', SIGNING_KEYS: keysFor('ES256') });
  const context = await buildContext(config, { logger: pino({ level: 'silent' }) });
  t.teardown(() => context.close());
  t.ok(Math.abs(context.clock() - Date.now()) < 1_000);
  await context.users.tryWriting();
});

t.test('a node that starts knows earlier revocations at once', async (t) => {
  const clock = new TestClock();
  const url = `file:${join(folder(t), 'latchkey.db')}`;
  const env = { DATABASE_URL: url };
  const first = await testApp(t, { env, clock });
  const { access_token } = await first.signUp();
  await first.as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  const second = await testApp(t, { env, clock });
  const answer = await second.as(access_token, { url: '/v1/whoami' });
  t.match(answer.json(), { status: 401, code: 'token_revoked' });
});

t.test(
  'the thread of the password check does not keep the process alive, and ends with the context',
  async (t) => {
    const config = readConfig({ DATABASE_URL: 'file::memory:', SIGNING_KEYS: keysFor('ES256') });
    const context = await buildContext(config, { logger: pino({ level: 'silent' }) });
    const holders = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort');
    const before = holders();
    t.equal(await context.passwordStrength.isStrong('plum tractor ninety velvet', []), true);
    t.same(holders(), before);
    const asked = context.passwordStrength.isStrong('another tractor ninety', []);
    const unanswered = t.rejects(asked, { code: 'overloaded' });
    await context.close();
    await unanswered;
  },
);

async function listening(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const logger = pino({ level: 'silent' });

t.test('a start that fails leaves nothing open', async (t) => {
  const ends: Promise<unknown>[] = [];
  const redis = createServer((socket) => {
    ends.push(once(socket.on('error', () => {}).resume(), 'close'));
  });
  const config = readConfig({
    SIGNING_KEYS: keysFor('ES256'),
    REDIS_URL: `redis://127.0.0.1:${await listening(t, redis)}`,
    MAIL_URL: 'file:package.json/mails',
  });
  const database = opened(t, 'file::memory:');
  await t.rejects(buildContext(config, { logger, database }), { message: /^Mail cannot be/ });
  t.ok(ends.length > 0);
  await Promise.all(ends);
  await t.rejects(database.selectFrom('users').execute(), { message: /destroyed/ });
});

t.test('a URL that the client of Redis cannot use is not quoted', async (t) => {
  const valid = readConfig({ DATABASE_URL: 'file::memory:', SIGNING_KEYS: keysFor('ES256') });
  const config = { ...valid, REDIS_URL: 'redis://:CANARY%zz@host' };
  const fault = await buildContext(config, { logger }).catch((error) => error);
  t.match(fault, { exitCode: 78, message: /REDIS_URL/ });
  t.notMatch(fault.message, 'CANARY');
});

t.test('at the end letters go before spans, for which the collector may take long', async (t) => {
  const box = await mailbox(t);
  const letters: number[] = [];
  const collector = createHttpServer((_, response) => {
    letters.push(box.mails.length);
    response.end('{}');
  });
  const config = readConfig({
    DATABASE_URL: 'file::memory:',
    SIGNING_KEYS: keysFor('ES256'),
    MAIL_URL: box.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await listening(t, collector)}`,
  });
  const { spans, outbox, close } = await buildContext(config, { logger });
  const served = { method: 'GET', route: '/livez', status: 200, duration: 1 };
  spans?.add({ ...served, code: undefined, parent: undefined });
  outbox.post('ada@example.com', () => ({ subject: 'Hello', paragraphs: ['Hello.'] }));
  await close();
  t.same(letters, [1]);
});
