import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import t from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { nodeCommand } from '../../child.ts';
import { deaf, opened, postgres, sqliteFile } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const run = promisify(execFile);

/** What a node does first, in a process of its own. */
const program = (url: string) => `
  import { openDatabase } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/database.ts'))};
  import { migrate } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/migrations.ts'))};
  const db = openDatabase({ url: ${JSON.stringify(url)}, pool: 2 });
  await migrate(db);
  await db.selectFrom('users').selectAll().execute();
  await db.destroy();
`;

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(
    `on ${engine.name} several nodes that start at once bring a new database up to date`,
    async (t) => {
      const url = await engine.create();
      const nodes = Array.from({ length: 4 }, () =>
        run(...nodeCommand(['--input-type=module', '--eval', program(url)])),
      );
      for (const { stderr } of await Promise.all(nodes)) t.equal(stderr, '');
      const db = opened(t, url);
      const { rows } = await sql<{
        name: string;
      }>`select name from kysely_migration order by name`.execute(db);
      t.same(
        rows.map(({ name }) => name),
        ['001_users', '002_indexes', '003_access_version', '004_reset_letters'],
        'each step was done once',
      );
    },
  );

  t.test(`on ${engine.name} a database that is up to date keeps its users`, async (t) => {
    const db = opened(t, await engine.create());
    await migrate(db);
    const users = new Users(db, deaf);
    const user = newPerson(
      { id: newUserId(NOW), email: 'ada@example.com', name: null, passwordHash: 'hash' },
      NOW,
    );
    await users.insert(user);
    await migrate(db);
    t.same(await users.findById(user.id), user);
  });

  t.test(
    `on ${engine.name} a schema that cannot be made stops the start, and leaves no half of it`,
    async (t) => {
      const db = opened(t, await engine.create());
      await sql`create table users (id integer)`.execute(db);
      await t.rejects(migrate(db), { message: /users/ });
      const { rows } = await sql`select * from kysely_migration`.execute(db);
      t.same(rows, []);
    },
  );

  t.test(`on ${engine.name} addresses and revocations are looked up by an index`, async (t) => {
    const db = opened(t, await engine.create());
    await migrate(db);
    const { rows } =
      engine.name === 'SQLite'
        ? await sql<{
            sql: string;
          }>`select sql from sqlite_master where tbl_name = 'users'`.execute(db)
        : await sql<{
            sql: string;
          }>`select indexdef as sql from pg_indexes where tablename = 'users'`.execute(db);
    const text = rows.map((row) => row.sql).join('\n');
    t.match(text, /index "?users_revoked_at_id"? on .*revoked_at.*id/i);
    t.match(text, /"email_key" text unique|unique index .*email_key/i);
  });
}
