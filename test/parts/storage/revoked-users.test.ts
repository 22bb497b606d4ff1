import type { KyselyPlugin, RootOperationNode } from 'kysely';
import t, { type Test } from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { withEverySessionEnded, withTombstone } from '../../../src/rules/sessions.ts';
import type { User } from '../../../src/schemas/user.ts';
import { deaf, opened } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

/** Counts the queries, and calls back when one was answered. */
class Watch implements KyselyPlugin {
  count = 0;
  answered: (count: number) => Promise<unknown> = async () => {};
  transformQuery({ node }: { node: RootOperationNode }) {
    return node;
  }
  async transformResult({ result }: Parameters<KyselyPlugin['transformResult']>[0]) {
    this.count += 1;
    await this.answered(this.count);
    return result;
  }
}

const person = (n: number, changes: Partial<User> = {}) => ({
  ...newPerson(
    { id: newUserId(NOW), email: `u${n}@example.com`, name: null, passwordHash: null },
    NOW,
  ),
  ...changes,
});

async function revoked(t: Test) {
  const watch = new Watch();
  const db = opened(t, 'file::memory:', { plugins: [watch] });
  await migrate(db);
  const users = new Users(db, deaf);
  /** What a poll reads, and with how many queries. */
  const poll = async (instant = NOW) => {
    watch.count = 0;
    const found = (await Array.fromAsync(users.revokedSince(instant, 1_000))).flat();
    return { found, queries: watch.count };
  };
  return { users, db, watch, poll };
}

t.test(
  'a row that has not changed since the last poll is not read again, only its key',
  async (t) => {
    const { users, poll } = await revoked(t);
    for (let n = 0; n < 205; n += 1)
      await users.insert(withTombstone(person(n), `ended-${n}`, NOW));
    const { found, queries } = await poll();
    t.equal(queries, 1 + 3, 'the keys, and the rows in batches');
    t.equal(new Set(found.map(({ sessions }) => sessions[0]?.id)).size, 205);
    t.same(await poll(), { found, queries: 1 });
  },
);

t.test('a row that has changed since is read again', async (t) => {
  const { users, db, poll } = await revoked(t);
  const [ada, eve] = [person(1), person(2)];
  await users.insert(withTombstone(ada, 'first', NOW));
  await users.insert(withTombstone(eve, 'other', NOW));
  await poll();
  // In the same millisecond, so only the row version tells.
  await users.change(ada.id, (seen) => ({
    user: withTombstone(seen, 'second', NOW),
    result: undefined,
  }));
  const { found, queries } = await poll();
  t.equal(queries, 2);
  t.same(found.flatMap(({ sessions }) => sessions.map(({ id }) => id)).sort(), [
    'first',
    'other',
    'second',
  ]);
  // A database that lost a write may have the same row version again.
  const lost = { sessions: '[{"id":"third","ended_at":1}]', revoked_at: NOW + 1 };
  await db.updateTable('users').set(lost).where('id', '=', ada.id).execute();
  t.match((await poll()).found.at(-1), { id: ada.id, sessions: [{ id: 'third' }] });
  await db.updateTable('users').set({ access_version: 9 }).where('id', '=', eve.id).execute();
  const versions = (await poll()).found.map((user) => [user.id, user.access_version]);
  t.same(
    new Map(versions as [string, number][]),
    new Map([
      [eve.id, 9],
      [ada.id, 0],
    ]),
  );
});

t.test('a row that left the window is forgotten, and read again when it is back', async (t) => {
  const { users, poll } = await revoked(t);
  await users.insert(withEverySessionEnded(person(1), NOW));
  await poll();
  t.same(await poll(NOW + 1), { found: [], queries: 1 });
  t.equal((await poll()).queries, 2);
});

t.test('a row that cannot be read is tried again with each poll', async (t) => {
  const { users, db, poll } = await revoked(t);
  const ada = withTombstone(person(1), 'ended', NOW);
  await users.insert(ada);
  await db.updateTable('users').set({ sessions: '[{' }).where('id', '=', ada.id).execute();
  t.match(await poll(), { found: [{ id: ada.id, sessions: [] }], queries: 2 });
  const repaired = JSON.stringify(ada.sessions);
  await db.updateTable('users').set({ sessions: repaired }).where('id', '=', ada.id).execute();
  t.match(await poll(), { found: [{ sessions: [{ id: 'ended' }] }], queries: 2 });
});

t.test('a row that is removed while it is read is left out', async (t) => {
  const { users, db, watch, poll } = await revoked(t);
  const ada = person(1, { revoked_at: NOW });
  await users.insert(ada);
  await users.insert(person(2, { revoked_at: NOW }));
  watch.answered = async (count) => {
    watch.answered = async () => {};
    if (count === 1) await db.deleteFrom('users').where('id', '=', ada.id).execute();
  };
  t.equal((await poll()).found.length, 1);
});
