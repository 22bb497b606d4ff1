import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import t from 'tap';
import { PROBE } from '../../../src/parts/storage/decoy-rows.ts';
import { folder, KILL, opened, postgres, usersOf } from '../../databases.ts';
import { proxy } from '../../proxy.ts';

t.test(
  'a SQLite file is created with its folder, and each commit survives a power cut',
  async (t) => {
    const path = join(folder(t), 'a', 'b', 'latchkey.db');
    const db = opened(t, `file:${path}`);
    t.ok(existsSync(path));
    const journal = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(db);
    t.same(journal.rows, [{ journal_mode: 'wal' }]);
    const synchronous = await sql<{ synchronous: number }>`pragma synchronous`.execute(db);
    t.same(synchronous.rows, [{ synchronous: 2 }], 'FULL');
  },
);

t.test('a database in memory leaves no file', async (t) => {
  const db = opened(t, 'file::memory:');
  await sql`create table a (b integer)`.execute(db);
  t.notOk(existsSync(':memory:'));
});

t.test('on PostgreSQL', async (t) => {
  const server = await postgres(t);

  t.test('times come back as numbers, text as text', async (t) => {
    const { db } = await usersOf(t, server);
    const { rows } =
      await sql`select 1763920800000::bigint as instant, 'x'::text as word, 7 as count`.execute(db);
    t.same(rows, [{ instant: 1_763_920_800_000, word: 'x', count: 7 }]);
  });

  t.test('the number of connections is limited', async (t) => {
    const url = await server.create();
    const db = opened(t, url, { pool: 3 });
    const pids = await Promise.all(
      Array.from({ length: 20 }, () =>
        sql<{ pid: number }>`select pg_backend_pid() as pid, pg_sleep(0.01)`.execute(db),
      ),
    );
    t.equal(new Set(pids.map(({ rows }) => rows[0]?.pid)).size, 3);
  });

  t.test('the server itself limits the time of a statement and of a lock', async (t) => {
    const { url, db, users } = await usersOf(t, server, { timeout: 400 });
    await t.rejects(sql`select pg_sleep(10)`.execute(db), { code: '57014' });
    const rival = await server.connect(url);
    t.teardown(() => rival.end());
    await rival.query('begin');
    await rival.query('select 1 from users for update');
    await t.rejects(db.updateTable('users').set({ name: 'x' }).execute(), { code: '55P03' });
    t.ok(await users.findById(PROBE), 'a read does not wait for a lock');
    const { rows } = await sql<{
      idle: string;
    }>`select current_setting('idle_in_transaction_session_timeout') as idle`.execute(db);
    t.same(rows, [{ idle: '400ms' }], 'a node that hangs loses its locks');
  });

  t.test('only a migration may take longer', async (t) => {
    const db = opened(t, await server.create(), { timeout: 200, pool: 1 });
    const slow = {
      up: async (db: Kysely<unknown>) => void (await sql`select pg_sleep(1.5)`.execute(db)),
    };
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ slow }) } });
    t.match(await migrator.migrateToLatest(), { results: [{ status: 'Success' }] });
    await t.rejects(sql`select pg_sleep(10)`.execute(db), { code: '57014' });
  });

  t.test('a query to a silent server fails, and its connection is closed', async (t) => {
    const between = await proxy(t, await server.create());
    const db = opened(t, between.url, { timeout: 200, pool: 1 });
    await sql`select 1`.execute(db);
    between.swallow('everything');
    await t.rejects(sql`select 1`.execute(db), { code: 'ETIMEDOUT' });
    between.swallow(false);
    await sql`select 1`.execute(db);
  });

  t.test('a connection that breaks during a query fails that query only', async (t) => {
    const url = await server.create();
    const between = await proxy(t, url);
    const db = opened(t, between.url, { pool: 2 });
    const admin = await server.connect(url);
    t.teardown(() => admin.end());
    const ways: Record<string, () => unknown> = {
      killed: () => admin.query(KILL),
      RST: between.reset,
      FIN: between.end,
    };
    for (const [index, [name, lose]] of Object.entries(ways).entries()) {
      const query = `select pg_sleep(${20 + index})`;
      const asked = sql
        .raw(query)
        .execute(db)
        .then(
          () => 'answered',
          () => 'failed',
        );
      for (;;) {
        const { rowCount } = await admin.query(
          "select 1 from pg_stat_activity where state = 'active' and query = $1",
          [query],
        );
        if (rowCount === 1) break;
      }
      await lose();
      t.equal(await asked, 'failed', name);
      // A killed connection may end a moment after the server reports it.
      await sql`select 1`.execute(db).catch(() => sql`select 1`.execute(db));
    }
  });

  t.test('an idle connection that breaks does not end the process, and is replaced', async (t) => {
    const { url, users } = await usersOf(t, server);
    await users.tryWriting();
    const admin = await server.connect(url);
    t.teardown(() => admin.end());
    const { rowCount } = await admin.query(KILL);
    t.ok(rowCount);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // A killed connection may end a moment after the server reports it.
    await users.tryWriting().catch(() => users.tryWriting());
  });

  t.test('an unreachable server is a fault within seconds', async (t) => {
    const db = opened(t, 'postgres://nobody@127.0.0.1:1/none');
    await t.rejects(sql`select 1`.execute(db), { code: 'ECONNREFUSED' });
  });
});
