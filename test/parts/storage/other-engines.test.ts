import type { CompiledQuery, KyselyPlugin } from 'kysely';
import t from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { decoyId } from '../../../src/parts/storage/decoy-rows.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { deaf, opened, postgres } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

/**
 * What CockroachDB or YugabyteDB refuse or take to mean something else, from their manuals: "PostgreSQL compatibility" of
 * CockroachDB, and "Unsupported PostgreSQL features" of YugabyteDB.
 */
const NOT_EVERYWHERE: Record<string, RegExp> = {
  'advisory locks': /pg_(try_)?advisory/i,
  'drop index concurrently': /drop index concurrently/i,
  'physical places of rows': /\bctid\b|\bxmin\b/i,
  'a lock on a table': /\block table\b/i,
  'temporary tables': /\btemp(orary)? table\b/i,
  'exclusion and deferred constraints': /\bexclude\b|\bdeferrable\b/i,
  notifications: /\b(listen|notify)\b/i,
  inheritance: /\binherits\b/i,
  'other index methods': /\busing (gist|gin|brin|spgist|hash)\b/i,
  'sequences as keys': /\bserial\b|\bgenerated .*identity/i,
};

t.test('no statement needs what only PostgreSQL has', async (t) => {
  const server = await postgres(t);
  const url = await server.create();
  const admin = await server.connect(url);
  t.teardown(() => admin.end());
  const name = new URL(url).pathname.slice(1);
  const seen = new Set<string>();
  class Kept implements KyselyPlugin {
    transformQuery: KyselyPlugin['transformQuery'] = ({ node, queryId }) => {
      seen.add((db.getExecutor().compileQuery(node, queryId) as CompiledQuery).sql);
      return node;
    };
    transformResult: KyselyPlugin['transformResult'] = async ({ result }) => result;
  }
  const db = opened(t, url, { plugins: [new Kept()] });
  await migrate(db);
  const asked = new Set<string>();
  const users = new Proxy(new Users(db, deaf), {
    get: (target, name) => {
      asked.add(String(name));
      const method = target[name as keyof Users];
      return method.bind(target);
    },
  });
  const [user, other] = ['ada@example.com', 'eve@example.com'].map((email) =>
    newPerson({ id: newUserId(NOW), email, name: null, passwordHash: 'hash' }, NOW),
  ) as [User, User];
  await users.insert(user);
  await users.insertMany([user, other]);
  const rename = (seen: User) => ({ user: { ...seen, name: 'x' }, result: undefined });
  await users.change(user.id, rename, () => users.findById(user.id));
  await users.change(decoyId(1), rename);
  for (const { id } of [user, other])
    await users.changeRow(id, (seen) => ({
      user: { ...seen, access_version: 1, revoked_at: NOW },
      result: undefined,
    }));
  await users.findByEmail('ada@example.com');
  await users.findByEmailOrDecoy('ada@example.com', decoyId(2));
  await users.findByIdentity('identity_1', 'https://accounts.example.com|ada');
  for (const emailPrefix of [undefined, 'a'])
    for (const after of [undefined, 'a'])
      await users.list({ kind: 'person', emailPrefix, after, limit: 5 });
  await users.findOther(user.id, 'admin');
  const revoked = await Array.fromAsync(users.revokedSince(0, 1));
  t.same(revoked.flat().length, 2, 'in two pages');
  await Array.fromAsync(users.everyRow(1));
  await users.count();
  await users.countAbsent([user]);
  await users.removeDeleted(NOW);
  await users.tryWriting();
  const all = Object.getOwnPropertyNames(Users.prototype).filter((name) => name !== 'constructor');
  t.same([...asked].sort(), all.sort(), 'every query was asked');
  t.ok(seen.size > 25, `${seen.size} statements of ${name}`);
  for (const statement of seen)
    for (const [what, pattern] of Object.entries(NOT_EVERYWHERE))
      t.notMatch(statement, pattern, what);

  const indexes = [...seen].filter((statement) => /^create (unique )?index conc/.test(statement));
  t.ok(indexes.length >= 9);
  // YugabyteDB hashes the first column of an index unless an order is said, which is good enough to find one value.
  for (const statement of indexes)
    t.match(statement, /on users \((\w+|\(.*\)) asc|on users \(identity_\d\)/);
  const updates = [...seen].filter((statement) => /^update "users"/.test(statement));
  t.ok(updates.length > 1);
  for (const statement of updates)
    t.notMatch(statement, /set .*"(id|kind|created_at)" = .* where/, 'it names what changed');
});
