import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import type pg from 'pg';
import t, { type Test } from 'tap';
import type { Database } from '../../../src/parts/storage/database.ts';
import { migrate, migrations } from '../../../src/parts/storage/migrations.ts';
import { nodeCommand } from '../../child.ts';
import { type Engine, opened, postgres, sqliteFile } from '../../databases.ts';

// Migrations of a table that others read and write. Its smaller sister with times is `npm run bench -- --only migrations`.

const PEOPLE = 20_000;
/** One in so many is a service account. */
const SERVICES = 10;
/** Each can wait long enough to notice that it is blocked. */
const PATIENCE = 5_000;

const idOf = (n: number) => `id${String(n).padStart(8, '0')}`;

/** A table as it was after the migration `name`, with rows whose tokens were all revoked once. */
async function oldTable(t: Test, engine: Engine, name: string) {
  const url = await engine.create();
  const db = opened(t, url, { pool: 1 });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    disableTransactions: true,
  });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw error;
  const id = engine.name === 'SQLite' ? "printf('id%08d', n)" : "'id' || lpad(n::text, 8, '0')";
  await sql
    .raw(
      `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${PEOPLE})
       insert into users (id, kind, email_key, password_hash, roles, status, token_version, sessions, throttle, mfa,
         revoked_at, row_version, created_at, updated_at)
       select ${id}, case when n % ${SERVICES} = 0 then 'service' else 'person' end, ${id}, 'one two', '[]', 'active', 1 + n % 5,
         '[]', '[]', '{}', n, 0, 0, 0 from numbers`,
    )
    .execute(db);
  return { url, db };
}

/** What every migration together must have done. */
async function assertMigrated(t: Test, db: Database) {
  const names = Object.keys(migrations).sort();
  const { rows } = await sql<{
    name: string;
  }>`select name from kysely_migration order by name`.execute(db as unknown as Kysely<unknown>);
  t.same(
    rows.map(({ name }) => name),
    names,
  );
  const [counts] = await db
    .selectFrom('users')
    .select([
      sql<number>`count(*)`.as('all'),
      sql<number>`sum(case when access_version = token_version then 1 else 0 end)`.as('raised'),
      sql<number>`sum(case when secret_hashes = '["one","two"]' then 1 else 0 end)`.as('filled'),
    ])
    .where('id', 'like', 'id%')
    .execute();
  t.same(
    Object.values(counts ?? {}).map(Number),
    [PEOPLE, PEOPLE, PEOPLE / SERVICES],
    'every row was filled',
  );
}

async function assertIndexes(t: Test, client: pg.Client) {
  const { rows } = await client.query(
    "select indexrelid::regclass::text as name, indisvalid as valid from pg_index where indrelid = 'users'::regclass order by 1",
  );
  t.same(
    rows,
    [
      'users_deleted',
      'users_email_key_bytes',
      'users_email_key_key',
      ...['1', '2', '3', '4'].map((slot) => `users_identity_${slot}`),
      'users_pkey',
      'users_revoked_at_id',
      'users_services',
      'users_with_roles',
    ].map((name) => ({ name, valid: true })),
  );
}

t.test('on PostgreSQL', async (t) => {
  const server = await postgres(t);

  /** An old table, a rival whose open transaction is in the way, and a user of the service. */
  async function scene(t: Test, name: string, blocks: string) {
    const { url, db } = await oldTable(t, server, name);
    const [rival, user] = [await server.connect(url), await server.connect(url)];
    t.teardown(() => Promise.all([rival.end(), user.end()]));
    await user.query(`set lock_timeout = ${PATIENCE}`);
    await rival.query('begin');
    await rival.query(blocks);
    /** Waits for a row of this query. */
    const until = async (query: string): Promise<Record<string, unknown>> => {
      for (const end = Date.now() + 60_000; Date.now() < end; await sleep(5)) {
        const { rows } = await user.query(query);
        if (rows.length > 0) return rows[0];
      }
      throw new Error(`no row in a minute: ${query}`);
    };
    const assertOthersGoOn = async () => {
      for (let n = 0; n < 20; n += 1) {
        await user.query("update users set name = 'x' where id = $1", [idOf(PEOPLE - n)]);
        await user.query('select * from users where id = $1', [idOf(7)]);
        await sleep(20);
      }
      const { rows } = await user.query(
        "select mode from pg_locks where locktype = 'relation' and relation = 'users'::regclass and granted and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')",
      );
      t.same(rows, [], 'no lock is held that stops writers');
    };
    return { url, db, rival, user, until, assertOthersGoOn };
  }
  const building =
    "select pid from pg_stat_activity where datname = current_database() and state = 'active' and query like 'create index concurrently%'";
  const unfinished = "select 1 from pg_index where indrelid = 'users'::regclass and not indisvalid";
  const writes = `update users set name = 'y' where id = '${idOf(1)}'`;

  t.test('an index is built while others write, and again if the build breaks off', async (t) => {
    const at = await scene(t, '001_users', writes);
    const migrated = migrate(at.db);
    const { pid } = await at.until(building);
    await at.assertOthersGoOn();
    await at.user.query('select pg_terminate_backend($1)', [pid]);
    await at.until(unfinished);
    await at.assertOthersGoOn();
    await at.rival.query('rollback');
    await migrated;
    await assertMigrated(t, at.db);
    await assertIndexes(t, at.user);
  });

  t.test('the node that starts after a killed one goes on', async (t) => {
    const at = await scene(t, '001_users', writes);
    const program = `
      import { openDatabase } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/database.ts'))};
      import { migrate } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/migrations.ts'))};
      await migrate(openDatabase({ url: ${JSON.stringify(at.url)}, pool: 2 }));
    `;
    const [command, args] = nodeCommand(['--input-type=module', '--eval', program]);
    const killed = spawn(command, args, { stdio: 'ignore' });
    await at.until(building);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const migrated = migrate(at.db);
    await at.until(unfinished);
    await at.rival.query('rollback');
    await migrated;
    await assertMigrated(t, at.db);
    await assertIndexes(t, at.user);
  });

  t.test(
    'rows are filled in short transactions, and a locked row holds up only itself',
    async (t) => {
      const at = await scene(t, '002_indexes', 'select 1');
      // The rival comes after the new column, which has to wait for open transactions.
      await at.user.query('alter table users add column access_version integer not null default 0');
      await at.rival.query(`update users set name = 'y' where id = '${idOf(5_500)}'`);
      const migrated = migrate(at.db);
      await at.until(`select 1 from users where id = '${idOf(5_000)}' and access_version > 0`);
      await at.assertOthersGoOn();
      const { rows } = await at.user.query(
        `select count(*)::int as left from users where access_version = 0 and id >= '${idOf(5_001)}'`,
      );
      t.same(rows, [{ left: PEOPLE - 5_000 }], 'the batches before are committed, the others wait');
      await at.rival.query('rollback');
      await migrated;
      await assertMigrated(t, at.db);
      await assertIndexes(t, at.user);
    },
  );

  t.test('a column that must wait for a long transaction lets others through', async (t) => {
    const at = await scene(t, '002_indexes', 'select count(*) from users');
    const migrated = migrate(at.db);
    await at.until(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'alter table users%'",
    );
    await at.assertOthersGoOn();
    await at.rival.query('rollback');
    await migrated;
    await assertMigrated(t, at.db);
  });
});

t.test('on SQLite another process writes meanwhile', async (t) => {
  const { url, db } = await oldTable(t, sqliteFile(t), '001_users');
  // It must not wait in SQLite, as this thread then gives the migration no turn.
  const rival = new SQLite(url.slice('file:'.length), { timeout: 0 });
  t.teardown(() => rival.close());
  const write = rival.prepare('update users set row_version = row_version + 1 where id = ?');
  let isOver = false;
  const migrated = migrate(db).finally(() => {
    isOver = true;
  });
  let written = 0;
  while (!isOver) {
    try {
      written += write.run(idOf(1 + (written % PEOPLE))).changes;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    }
    await sleep(1);
  }
  await migrated;
  t.ok(written > 1, `${written} writes`);
  await assertMigrated(t, db);
});

t.test('on SQLite a migration that breaks off goes on at the next start', async (t) => {
  const { db } = await oldTable(t, sqliteFile(t), '002_indexes');
  await sql
    .raw(
      `create trigger broken before update on users when new.id = '${idOf(5_500)}' begin select raise(abort, 'broken'); end`,
    )
    .execute(db);
  await t.rejects(migrate(db), { message: /broken/ });
  const done = async () => {
    const { rows } = await sql<{
      done: number;
    }>`select count(*) as done from users where access_version > 0`.execute(db);
    return rows[0]?.done;
  };
  t.equal(await done(), 5_000, 'what was done stays');
  await sql`drop trigger broken`.execute(db);
  await migrate(db);
  t.equal(await done(), PEOPLE);
  await assertMigrated(t, db);
});

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name} several nodes migrate a large table at once`, async (t) => {
    const { url, db } = await oldTable(t, engine, '001_users');
    const nodes = [db, opened(t, url, { pool: 1 }), opened(t, url, { pool: 1 })];
    await Promise.all(nodes.map((node) => migrate(node)));
    await assertMigrated(t, db);
  });
}
