import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Passwords } from '../../../src/domain/passwords/passwords.ts';
import { signInWithPassword } from '../../../src/domain/sessions/sign-in.ts';
import type { User } from '../../../src/schemas/user.ts';
import { butForCounts } from '../../people.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const signIn = { amr: ['pwd'], transport: 'body' as const, client: 'curl' };
const refused = { message: 'invalid_credentials' };

async function serviceOf(t: Test, env: Record<string, string> = {}) {
  const service = await testApp(t, { env });
  const { access_token } = await service.signUp();
  const { sub } = service.context.accessTokens.read(access_token);
  const row = async () => (await service.context.users.findById(sub)) as User;
  const change = (next: Partial<User>) =>
    service.context.users.change(sub, (user) => ({ user: { ...user, ...next }, result: true }));
  const origin = { prefix: '192.0.2.1', signal: new AbortController().signal };
  const enter = (password = PASSWORD, email = 'Ada@example.com') =>
    signInWithPassword(
      service.context,
      { email, password, deviceToken: undefined },
      { signIn, origin },
    );
  /** Begins a sign-in; resolves once its password is being checked. */
  const entering = async () => {
    const signingIn = enter();
    while ((await row()).throttle.every(({ pending }) => pending.length === 0)) await sleep(1);
    return { signingIn };
  };
  return { ...service, row, change, enter, entering };
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
  const { enter, row, change } = await serviceOf(t);
  const before = await row();
  await t.rejects(enter('wrong'), refused);
  await t.rejects(enter(PASSWORD, 'eve@example.com'), refused);
  const after = await row();
  t.same(butForCounts(after), butForCounts(before));
  t.same(
    after.throttle.map(({ failures, pending }) => [failures, pending.length]),
    [
      [1, 0],
      [1, 0],
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
    const { enter, row, change, context } = await serviceOf(t, { HASH_PASSES: '3' });
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
  const { entering, row, change, context } = await serviceOf(t);
  const other = await context.passwords.hash('another password entirely');
  const { signingIn } = await entering();
  await change({ password_hash: other });
  await t.rejects(signingIn, refused);
  t.equal((await row()).sessions.length, 1);
  t.equal((await row()).password_hash, other, 'nor does it put the old one back');
});

t.test('a user who is disabled while his password is being checked gets no session', async (t) => {
  const { entering, row, change } = await serviceOf(t);
  const { signingIn } = await entering();
  await change({ status: 'disabled' });
  await t.rejects(signingIn, refused);
  t.equal((await row()).sessions.length, 1);
});

t.test('a hash that was only made anew meanwhile still lets its owner in', async (t) => {
  const { entering, row, change, context } = await serviceOf(t);
  const again = await context.passwords.hash(PASSWORD);
  const { signingIn } = await entering();
  await change({ password_hash: again });
  const { session } = await signingIn;
  t.ok((await row()).sessions.some(({ id }) => id === session?.id));
  t.equal((await row()).password_hash, again);
});
