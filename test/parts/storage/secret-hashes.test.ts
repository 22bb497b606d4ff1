import t, { type Test } from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { emptyUser } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { sqliteInMemory, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

/** A service account, and the columns of its row as a node of the version before sees them. */
const account = (t: Test, secret_hashes: string[] | null) =>
  stored(t, { ...emptyUser(newUserId(NOW), 'service', NOW), secret_hashes });

async function stored(t: Test, user: User) {
  const { db, users } = await usersOf(t, sqliteInMemory);
  await users.insert(user);
  return {
    user,
    found: () => users.findById(user.id),
    change: (changes: Partial<User>) =>
      users.change(user.id, (row) => ({ user: { ...row, ...changes }, result: undefined })),
    row: () =>
      db
        .selectFrom('users')
        .select(['password_hash', 'secret_hashes'])
        .where('id', '=', user.id)
        .executeTakeFirstOrThrow(),
    writeAsBefore: (password_hash: string | null) =>
      db.updateTable('users').set({ password_hash }).where('id', '=', user.id).execute(),
  };
}

t.test('a node of the version before can read the secrets that this version writes', async (t) => {
  const { user, found, change, row } = await account(t, ['new', 'old']);
  t.same(await row(), { password_hash: 'new old', secret_hashes: '["new","old"]' });
  t.same(await found(), user);
  await change({ secret_hashes: ['newest', 'new'] });
  t.same(await row(), { password_hash: 'newest new', secret_hashes: '["newest","new"]' });
  await change({ secret_hashes: null });
  t.same(await row(), { password_hash: null, secret_hashes: null });
});

t.test('a secret that a node of the version before renews replaces the older ones', async (t) => {
  const { user, found, change, row, writeAsBefore } = await account(t, ['leaked', 'older']);
  await writeAsBefore('newest newer');
  t.same(await found(), { ...user, secret_hashes: ['newest', 'newer'] });
  await change({ name: 'Renamed' });
  t.same(await row(), { password_hash: 'newest newer', secret_hashes: '["newest","newer"]' });
  await writeAsBefore('');
  t.match(await found(), { secret_hashes: [] });
});

t.test('secrets that a node of the version before removes are gone here too', async (t) => {
  const { user, found, change, row, writeAsBefore } = await account(t, ['new', 'old']);
  await writeAsBefore(null);
  t.same(await found(), { ...user, secret_hashes: null });
  await change({ name: 'Renamed' });
  t.same(await row(), { password_hash: null, secret_hashes: null }, 'nothing is left behind');
});

t.test("a person's password hash stays as it is", async (t) => {
  const { found, change } = await stored(t, emptyUser(newUserId(NOW), 'person', NOW));
  await change({ password_hash: 'a hash with blanks' });
  t.match(await found(), { password_hash: 'a hash with blanks', secret_hashes: null });
});
