import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { signInWithPassword } from '../../../src/actions/sessions/sign-in.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { Passwords } from '../../../src/parts/passwords/passwords.ts';
import type { User } from '../../../src/schemas/user.ts';
import { butForCounts, factor } from '../../people.ts';
import { NOW } from '../../rules/samples.ts';
import { type Options, PASSWORD, testApp } from '../../test-app.ts';

const signIn = { amr: ['pwd'], transport: 'body' as const, client: 'curl' };
const refused = { message: 'invalid_credentials' };

async function serviceOf(t: Test, options: Options = {}) {
  const service = await testApp(t, options);
  const { access_token, device_token } = await service.signUp();
  const { sub } = service.context.accessTokens.read(access_token);
  const row = async () => (await service.context.users.findById(sub)) as User;
  const change = (next: Partial<User>) =>
    service.context.users.change(sub, (user) => ({ user: { ...user, ...next }, result: true }));
  const source = { prefix: '192.0.2.1', signal: new AbortController().signal };
  const enter = (password = PASSWORD, email = 'Ada@example.com', deviceToken?: string) =>
    signInWithPassword(
      service.context,
      { email, password, deviceToken },
      { signIn: { id: randomId(), ...signIn }, source },
    );
  /** Begins a sign-in; resolves once its password is being checked. */
  const entering = async () => {
    const signingIn = enter();
    while ((await row()).throttle.every(({ pending }) => pending.length === 0)) await sleep(1);
    return { signingIn };
  };
  return { ...service, device_token, sub, row, change, enter, entering };
}

t.test('the owner gets a session of his own, and his row says when', async (t) => {
  const { enter, row, clock } = await serviceOf(t);
  clock.advance(1_000);
  const { user, session } = await enter();
  t.match(session, { ...signIn, gen: 0, created_at: clock.now });
  const after = await row();
  t.equal(after.id, user.id);
  t.equal(after.last_login_at, clock.now);
  t.equal(after.sessions.length, 2);
  t.same(after.sessions.at(-1), session);
});

t.test('anybody else is refused and counted, and the row stays as it was else', async (t) => {
  const { enter, sub, row, change } = await serviceOf(t);
  const before = await row();
  await t.rejects(enter('wrong'), { ...refused, circumstances: { user: sub } });
  await t.rejects(enter(PASSWORD, 'eve@example.com'), {
    ...refused,
    circumstances: { user: undefined },
  });
  const after = await row();
  t.same(butForCounts(after), butForCounts(before));
  t.same(
    after.throttle.map(({ key, failures, pending }) => [
      key.split(' ', 2).join(' '),
      failures,
      pending.length,
    ]),
    [
      ['password all', 1, 0],
      ['password net', 1, 0],
    ],
    'for the place and for the account; an unknown address counts for nobody here',
  );
  await change({ status: 'disabled' });
  await t.rejects(enter(), refused);
  await change({ status: 'active', password_hash: null });
  await t.rejects(enter(), refused);
  t.equal((await row()).sessions.length, 1);
});

t.test(
  'PWD-06 a hash of lower costs is made anew at the next sign-in, and the password stays',
  async (t) => {
    const { enter, row, change, context } = await serviceOf(t, { env: { HASH_PASSES: '3' } });
    const old = await new Passwords({ memory: 19_456, passes: 2 }, context.hashQueue).hash(
      PASSWORD,
    );
    await change({ password_hash: old });
    await t.rejects(enter('wrong'), refused);
    t.equal((await row()).password_hash, old, 'not by a wrong password');
    await enter();
    const { password_hash: fresh } = await row();
    t.match(fresh, /t=3/);
    await enter();
    t.equal((await row()).password_hash, fresh, 'once is enough');
    t.equal(context.passwords.isOutdated(fresh ?? ''), false);
  },
);

t.test('a password that changes while it is being checked opens no session', async (t) => {
  const { entering, row, change, context } = await serviceOf(t, { pace: 'real' });
  const other = await context.passwords.hash('another password entirely');
  const { signingIn } = await entering();
  await change({ password_hash: other });
  await t.rejects(signingIn, refused);
  t.equal((await row()).sessions.length, 1);
  t.equal((await row()).password_hash, other, 'nor does it put the old one back');
});

t.test('a user who is disabled while his password is being checked gets no session', async (t) => {
  const { entering, row, change } = await serviceOf(t, { pace: 'real' });
  const { signingIn } = await entering();
  await change({ status: 'disabled' });
  await t.rejects(signingIn, refused);
  t.equal((await row()).sessions.length, 1);
});

t.test('a hash that was only made anew meanwhile still lets its owner in', async (t) => {
  const { entering, row, change, context } = await serviceOf(t, { pace: 'real' });
  const again = await context.passwords.hash(PASSWORD);
  const { signingIn } = await entering();
  await change({ password_hash: again });
  const { session } = await signingIn;
  t.ok((await row()).sessions.some(({ id }) => id === session?.id));
  t.equal((await row()).password_hash, again);
});

t.test('each unknown address is counted by itself, like a known one', async (t) => {
  const { enter } = await serviceOf(t);
  for (let turn = 0; turn < 5; turn += 1) await t.rejects(enter('x', 'eve@example.com'), refused);
  await t.rejects(enter('x', 'EVE@example.com'), { message: 'throttled' });
  await t.rejects(enter('x', 'eva@example.com'), refused);
  t.ok(await enter());
});

t.test('the right password clears its own place, and not what others guessed', async (t) => {
  const { enter, row } = await serviceOf(t);
  for (let turn = 0; turn < 2; turn += 1) await t.rejects(enter('wrong'), refused);
  await enter();
  const { throttle } = await row();
  t.same(
    throttle.map(({ key, failures }) => [key, failures]),
    [['password all', 2]],
  );
});

t.test('whoever has a known device gets in while strangers guess', async (t) => {
  const { enter, device_token, context } = await serviceOf(t);
  for (let turn = 0; turn < 5; turn += 1) await t.rejects(enter('wrong'), refused);
  await t.rejects(enter(), { message: 'throttled' });
  await t.rejects(
    enter(PASSWORD, undefined, 'x'),
    { message: 'throttled' },
    'a token of no device',
  );
  const { device } = await enter(PASSWORD, undefined, device_token);
  t.equal(device, context.ownTokens.read('device', device_token)?.jti, 'it stays the same device');
});

t.test('a sign-in without a device makes one', async (t) => {
  const { enter } = await serviceOf(t);
  const devices = [await enter(), await enter()].map(({ device }) => device);
  for (const device of devices) t.match(device, /^[\w-]{22}$/);
  t.not(devices[0], devices[1]);
});

t.test('MFA-01 with a second factor the password opens no session', async (t) => {
  const app = await serviceOf(t);
  const { mfa } = factor(app, await app.row());
  await app.change({ mfa, last_login_at: NOW });
  const before = await app.row();
  app.clock.advance(5);
  for (const [token, device] of [
    [undefined, undefined],
    [app.device_token, app.context.ownTokens.read('device', app.device_token)?.jti],
  ]) {
    const half = await app.enter(PASSWORD, undefined, token);
    t.same(Object.keys(half).sort(), ['device', 'user']);
    t.equal(half.user.id, before.id);
    t.equal(half.device, device, 'only one that is proven');
  }
  t.same(butForCounts(await app.row()), butForCounts(before));
});

t.test('who comes when there is no room to hash anew gets in with the old hash', async (t) => {
  const env = { HASH_PASSES: '3', HASH_CONCURRENCY: '1', HASH_QUEUE: '1' };
  const { enter, row, change, context } = await serviceOf(t, { env });
  const { hashQueue } = context;
  const old = await new Passwords({ memory: 19_456, passes: 2 }, hashQueue).hash(PASSWORD);
  await change({ password_hash: old });
  const [before, after] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const running = hashQueue.run(() => before.promise);
  const entering = enter();
  while (hashQueue.length === 0) await sleep(1);
  before.resolve();
  await running;
  // Takes the place of the check as soon as that has ended, and has somebody wait behind it.
  let behind: Promise<void> | undefined;
  const next = hashQueue.run(() => {
    behind = hashQueue.run(() => after.promise);
    return after.promise;
  });
  const { user, session } = await entering;
  t.ok(session);
  t.equal(user.password_hash, old);
  t.equal((await row()).password_hash, old);
  after.resolve();
  await Promise.all([next, behind]);
});
