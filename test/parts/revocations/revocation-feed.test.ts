import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { RevocationFeed } from '../../../src/parts/revocations/revocation-feed.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import { StorageFault } from '../../../src/parts/storage/users.ts';
import { withoutPersonalData } from '../../../src/rules/accounts.ts';
import { REVOCATION_LIFE, withEverySessionEnded } from '../../../src/rules/sessions.ts';
import { type Engine, postgres, sqliteInMemory, usersOf } from '../../databases.ts';
import { ada, MINUTE, NOW, SECOND } from '../../rules/samples.ts';
import { TestClock } from '../../test-app.ts';

async function feedOf(t: Test, engine: Engine = sqliteInMemory) {
  const { users, db } = await usersOf(t, engine);
  const clock = new TestClock();
  const revocations = new Revocations(() => clock.uptime);
  const feed = new RevocationFeed({
    users,
    revocations,
    clock: () => clock.now,
    uptime: () => clock.uptime,
  });
  /** Another node revokes all tokens of a new user. */
  const revoked = async (at: number) => {
    const user = withEverySessionEnded(ada({ email_key: null }), at);
    await users.insert(user);
    return { sub: user.id, sid: 'any', ver: 0 };
  };
  return { users, db, clock, revocations, feed, revoked };
}

t.test('the first poll reads what was revoked within the last access-token life', async (t) => {
  const { feed, revocations, revoked } = await feedOf(t);
  const recent = await revoked(NOW - REVOCATION_LIFE + 1);
  const outlived = await revoked(NOW - REVOCATION_LIFE - 1);
  t.equal(feed.isFresh, false, 'not fresh before the first poll');
  await feed.poll();
  t.equal(feed.isFresh, true);
  t.equal(revocations.includes(recent), true);
  t.equal(revocations.includes(outlived), false);
});

t.test('each later poll reads what is new, even from a node whose clock is behind', async (t) => {
  const { feed, clock, revocations, revoked } = await feedOf(t);
  await feed.poll();
  clock.advance(SECOND);
  const now = await revoked(clock.now);
  const late = await revoked(NOW - 29 * SECOND);
  t.equal(revocations.includes(now), false);
  await feed.poll();
  t.equal(revocations.includes(now), true);
  t.equal(revocations.includes(late), true);
});

t.test('revocations are forgotten when every affected token has expired', async (t) => {
  const { feed, clock, revocations, revoked } = await feedOf(t);
  const caller = await revoked(NOW);
  await feed.poll();
  // Each poll whose overlap includes it reads it again.
  clock.advance(31 * SECOND);
  await feed.poll();
  clock.advance(REVOCATION_LIFE - 1);
  await feed.poll();
  t.equal(revocations.includes(caller), true);
  clock.advance(1);
  await feed.poll();
  t.equal(revocations.includes(caller), false);
});

t.test(
  'without the database the snapshot stays and becomes stale, and then catches up',
  async (t) => {
    const { feed, db, clock, revocations, revoked } = await feedOf(t);
    const before = await revoked(NOW);
    await feed.poll();
    await db.schema.alterTable('users').renameTo('away').execute();
    clock.advance(4_999);
    await t.rejects(feed.poll(), { constructor: StorageFault, message: 'revokedSince' });
    t.equal(feed.isFresh, true);
    t.equal(revocations.includes(before), true);
    clock.advance(1);
    t.equal(feed.isFresh, false);
    clock.advance(5 * MINUTE);
    await t.rejects(feed.poll(), { constructor: StorageFault, message: 'revokedSince' });
    await db.schema.alterTable('away').renameTo('users').execute();
    const meanwhile = await revoked(NOW + MINUTE);
    await feed.poll();
    t.equal(revocations.includes(meanwhile), true, 'revocations of the meantime are read');
    t.equal(feed.isFresh, true);
  },
);

t.test('rows of deleted users are removed when all their tokens have expired', async (t) => {
  const { feed, users, clock } = await feedOf(t);
  const gone = withoutPersonalData(ada(), NOW);
  await users.insert(gone);
  await feed.poll();
  t.ok(await users.findById(gone.id));
  clock.advance(REVOCATION_LIFE);
  await feed.poll();
  t.ok(await users.findById(gone.id));
  clock.advance(MINUTE);
  await feed.poll();
  t.equal(await users.findById(gone.id), undefined);
});

t.test('rows are removed once a minute, not with each poll', async (t) => {
  const { feed, users, clock } = await feedOf(t);
  await feed.poll();
  const gone = withoutPersonalData(ada(), NOW - REVOCATION_LIFE - MINUTE);
  await users.insert(gone);
  clock.advance(MINUTE - 1);
  await feed.poll();
  t.ok(await users.findById(gone.id));
  clock.advance(1);
  await feed.poll();
  t.equal(await users.findById(gone.id), undefined);
});

const HOUR = 60 * MINUTE;

t.test('a clock that is an hour ahead for four seconds revives no token', async (t) => {
  const { feed, clock, revocations, revoked } = await feedOf(t);
  const before = await revoked(NOW);
  await feed.poll();
  clock.now += HOUR;
  const meanwhile = await revoked(NOW + 2 * SECOND);
  for (let second = 0; second < 4; second += 1) {
    await feed.poll();
    clock.advance(SECOND);
  }
  t.equal(revocations.includes(before), true, 'while it is ahead');
  t.equal(revocations.includes(meanwhile), true, 'revocations of other nodes are read');
  clock.now -= HOUR;
  await feed.poll();
  t.equal(revocations.includes(before), true, 'after it is corrected');
  t.equal(feed.isFresh, true);
});

t.test(
  'a clock that was ahead from the start reads everything after it is corrected',
  async (t) => {
    const { feed, clock, revocations, revoked } = await feedOf(t);
    const before = await revoked(NOW - MINUTE);
    clock.now += HOUR;
    await feed.poll();
    t.equal(revocations.includes(before), false, 'not known yet');
    clock.now -= HOUR;
    await feed.poll();
    t.equal(revocations.includes(before), true);
  },
);

t.test(
  'if the first poll after the clock was corrected fails, the next one reads everything',
  async (t) => {
    const { feed, db, clock, revocations, revoked } = await feedOf(t);
    const before = await revoked(NOW - MINUTE);
    clock.now += HOUR;
    await feed.poll();
    clock.now -= HOUR;
    await db.schema.alterTable('users').renameTo('away').execute();
    await t.rejects(feed.poll(), { constructor: StorageFault, message: 'revokedSince' });
    t.equal(feed.isFresh, false, 'the snapshot is incomplete');
    await db.schema.alterTable('away').renameTo('users').execute();
    await feed.poll();
    t.equal(revocations.includes(before), true);
  },
);

t.test('a clock that is ahead removes no row whose tokens may be valid', async (t) => {
  const { feed, users, clock } = await feedOf(t);
  const gone = withoutPersonalData(ada(), NOW);
  await users.insert(gone);
  await feed.poll();
  clock.now += HOUR;
  clock.advance(MINUTE);
  await feed.poll();
  t.ok(await users.findById(gone.id));
});

t.test('a clock that stays wrong is trusted after an access-token life', async (t) => {
  const { feed, clock, revocations, revoked } = await feedOf(t);
  await feed.poll();
  clock.now += HOUR;
  clock.advance(REVOCATION_LIFE);
  await feed.poll();
  const late = await revoked(clock.now - 31 * SECOND);
  const now = await revoked(clock.now);
  await feed.poll();
  t.equal(revocations.includes(now), true);
  t.equal(revocations.includes(late), false, 'it reads from 30 s before that time');
});

t.test('concurrent polls are one', async (t) => {
  const { feed } = await feedOf(t);
  const first = feed.poll();
  t.equal(feed.poll(), first);
  await first;
  const second = feed.poll();
  t.not(second, first);
  await second;
});

t.test('all revocations are read, even if they fill several pages', async (t) => {
  const { feed, revocations, revoked } = await feedOf(t);
  const all = [];
  for (let index = 0; index < 205; index += 1) all.push(await revoked(NOW));
  await feed.poll();
  for (const claims of all) t.ok(revocations.includes(claims));
});

t.test('polling PostgreSQL works with a fractional uptime', async (t) => {
  const { feed, clock, revocations, revoked } = await feedOf(t, await postgres(t));
  clock.uptime += 0.167;
  await feed.poll();
  clock.now += SECOND;
  clock.uptime += SECOND + 0.3;
  const caller = await revoked(NOW + SECOND);
  await feed.poll();
  t.equal(revocations.includes(caller), true);
});

t.test('it polls until it is stopped, one poll at a time, and reports failures', async (t) => {
  const { feed, db, revocations, revoked } = await feedOf(t);
  const failures: unknown[] = [];
  const stop = feed.follow(1, (error) => failures.push(error));
  const caller = await revoked(NOW);
  while (!revocations.includes(caller)) await sleep(5);
  t.same(failures, []);
  await db.destroy();
  while (failures.length < 2) await sleep(5);
  stop();
  const { length } = failures;
  await sleep(20);
  t.ok(failures.length <= length + 1, 'except for a poll that was still running');
});
