import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { readConfig } from '../src/config.ts';
import { buildContext } from '../src/context.ts';
import { folder } from './databases.ts';
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
