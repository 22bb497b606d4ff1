import { type CompiledQuery, type KyselyPlugin, type RootOperationNode, sql } from 'kysely';
import t, { type Test } from 'tap';
import { newServiceAccount } from '../../../src/actions/clients/service-accounts.ts';
import { newUserId } from '../../../src/parts/ids.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { newPerson, withoutPersonalData } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { deaf, type Engine, opened, postgres, sqliteFile } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const PEOPLE = 5_000;

/** Records the queries, so that they can be explained. */
class Kept implements KyselyPlugin {
  readonly nodes: RootOperationNode[] = [];
  transformQuery({ node }: { node: RootOperationNode }) {
    this.nodes.push(node);
    return node;
  }
  async transformResult({ result }: Parameters<KyselyPlugin['transformResult']>[0]) {
    return result;
  }
}

const person = (email: string, changes: Partial<User> = {}): User => ({
  ...newPerson({ id: newUserId(NOW), email, name: 'Ada', passwordHash: 'hash' }, NOW),
  ...changes,
});

async function filled(t: Test, engine: Engine) {
  const kept = new Kept();
  const db = opened(t, await engine.create(), { plugins: [kept] });
  await migrate(db);
  const users = new Users(db, deaf);
  const everybody = Array.from({ length: PEOPLE }, (_, n) =>
    person(`u${n}@example.com`, { revoked_at: NOW - n }),
  );
  const { account } = newServiceAccount({ name: 'machine', roles: ['reports:read'] }, NOW);
  everybody.push(account, person('root@example.com', { roles: ['admin'] }));
  for (let n = 0; n < 20; n += 1)
    everybody.push(withoutPersonalData(person(`gone${n}@example.com`), NOW - n));
  for (let from = 0; from < everybody.length; from += 1_000)
    await users.insertMany(everybody.slice(from, from + 1_000));
  // PostgreSQL does this by itself after a while; SQLite never does.
  if (engine.name !== 'SQLite') await sql`analyze`.execute(db);

  /** The query plan of the first query, or the one at `at`. */
  async function plan(ask: () => Promise<unknown>, at = 0): Promise<string> {
    kept.nodes.length = 0;
    await ask();
    const { sql: text, parameters } = db
      .getExecutor()
      .compileQuery(kept.nodes.at(at) as RootOperationNode, {
        queryId: 'explained',
      }) as CompiledQuery;
    const explain = engine.name === 'SQLite' ? 'explain query plan' : 'explain';
    const { rows } = await db.executeQuery<Record<string, unknown>>({
      ...sql`select`.compile(db),
      sql: `${explain} ${text}`,
      // A query that is built once has no values yet.
      parameters: parameters.map((value) => (typeof value === 'object' ? '1' : value)),
    });
    return rows.map((row) => row['detail'] ?? row['QUERY PLAN']).join('\n');
  }
  return { db, users, everybody, plan };
}

const SCAN = /Seq Scan on users|SCAN users(?! USING INDEX users_(services|with_roles))/;
const SORT = /\bSort\b|TEMP B-TREE/;

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name} no query scans the table`, async (t) => {
    const { db, users, everybody, plan } = await filled(t, engine);
    const [first] = everybody as [User];
    const rename = (seen: User) => ({ user: { ...seen, name: 'Other' }, result: undefined });
    const primaryKey = /sqlite_autoindex_users_1 \(id=|users_pkey/;
    const asked: [what: string, index: RegExp, ask: () => Promise<unknown>][] = [
      [
        'a search by address',
        /sqlite_autoindex_users_2 \(email_key>|users_email_key_bytes/,
        () => users.list({ kind: 'person', emailPrefix: 'u12', limit: 10 }),
      ],
      [
        'its next page',
        /sqlite_autoindex_users_2 \(email_key>|users_email_key_bytes/,
        () => users.list({ kind: 'person', emailPrefix: 'u', after: 'u12@example.com', limit: 10 }),
      ],
      ['the list of machines', /users_services/, () => users.list({ kind: 'service', limit: 10 })],
      ['another administrator', /users_with_roles/, () => users.findOther('x', 'admin')],
      ['the clean-up', /users_deleted/, () => users.removeDeleted(NOW - 10)],
      [
        'the poll',
        /users_revoked_at_id \(\(revoked_at,id\)>|users_revoked_at_id.*Index Cond: \(ROW\(revoked_at/s,
        () => users.revokedSince(NOW - 10, 100).next(),
      ],
      [
        'a page of all users',
        /sqlite_autoindex_users_1|users_pkey/,
        () => users.list({ kind: 'person', after: 'x', limit: 10 }),
      ],
    ];
    for (const [what, index, ask] of asked) {
      const text = await plan(ask);
      t.match(text, index, what);
      t.notMatch(text, SCAN, what);
      if (what !== 'the poll') t.notMatch(text, SORT, what);
    }
    const rows = await plan(() => users.revokedSince(NOW - 20, 10).next(), -1);
    t.match(rows, primaryKey, 'what the poll has not read yet');
    // These are built once, the look-ups when the node starts.
    const built = async () => new Users(db, deaf);
    t.match(await plan(built, 0), primaryKey, 'a look-up by id');
    t.match(
      await plan(built, 1),
      /sqlite_autoindex_users_2 \(email_key=|users_email_key_key/,
      'a look-up by address',
    );
    for (const n of [1, 2, 3, 4])
      t.match(await plan(built, n + 1), `users_identity_${n}`, 'a look-up by account elsewhere');
    const guessed = await plan(built, 7);
    t.match(guessed, primaryKey, 'whose password is guessed');
    t.match(guessed, /sqlite_autoindex_users_2 \(email_key=|users_email_key_key/);
    t.notMatch(guessed, SCAN);
    const change = () => new Users(db, deaf).change(first.id, rename);
    t.match(await plan(change, -1), primaryKey, 'a change');
  });

  t.test(`on ${engine.name} any number of rows is removed, in batches`, async (t) => {
    const db = opened(t, await engine.create());
    await migrate(db);
    const users = new Users(db, deaf);
    const gone = Array.from({ length: 1_000 }, (_, n) =>
      withoutPersonalData(person(`g${n}@example.com`), NOW),
    );
    const young = withoutPersonalData(person('young@example.com'), NOW + 1);
    await users.insertMany([...gone, young]);
    await users.removeDeleted(NOW + 1);
    const { rows } = await sql<{ id: string }>`select id from users where revoked_at > 0`.execute(
      db,
    );
    t.same(rows, [{ id: young.id }]);
  });

  t.test(
    `on ${engine.name} a search finds addresses by their start, ordered by code point`,
    async (t) => {
      const db = opened(t, await engine.create());
      await migrate(db);
      const users = new Users(db, deaf);
      const keys = [
        'a',
        'a%',
        'aB',
        'a_',
        'ab',
        'aé',
        'a\ud7ff',
        'a\ue000',
        'a\u{1f511}',
        'b',
        'A',
      ];
      for (const key of keys) await users.insert(person(key, { email_key: key }));
      const found = async (emailPrefix: string, after?: string) =>
        (await users.list({ kind: 'person', emailPrefix, after, limit: 100 })).map(
          ({ email_key }) => email_key,
        );
      t.same(await found('a'), keys.slice(0, 9));
      t.same(await found('a', 'a_'), ['ab', 'aé', 'a\ud7ff', 'a\ue000', 'a\u{1f511}']);
      t.same(await found('a\ud7ff'), ['a\ud7ff']);
      t.same(await found('a%'), ['a%']);
      t.same(await found(''), ['A', ...keys.slice(0, 10)]);
    },
  );
}
