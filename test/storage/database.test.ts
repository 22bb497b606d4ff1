import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import t from 'tap';
import { folder, opened, postgres, usersOf } from '../databases.ts';

t.test(
  'a SQLite file is made with its folder, and each of its commits outlives a power cut',
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

  t.test('instants come back as numbers, text as text', async (t) => {
    const { db } = await usersOf(t, server);
    const { rows } =
      await sql`select 1763920800000::bigint as instant, 'x'::text as word, 7 as count`.execute(db);
    t.same(rows, [{ instant: 1_763_920_800_000, word: 'x', count: 7 }]);
  });

  t.test('no more connections are opened than are allowed', async (t) => {
    const url = await server.create();
    const db = opened(t, url, { pool: 3 });
    const pids = await Promise.all(
      Array.from({ length: 20 }, () =>
        sql<{ pid: number }>`select pg_backend_pid() as pid, pg_sleep(0.01)`.execute(db),
      ),
    );
    t.equal(new Set(pids.map(({ rows }) => rows[0]?.pid)).size, 3);
  });

  t.test('an idle connection that breaks does not end the process, and is replaced', async (t) => {
    const { url, users } = await usersOf(t, server);
    await users.ping();
    const admin = await server.connect(url);
    t.teardown(() => admin.end());
    const others =
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
    const { rowCount } = await admin.query(others);
    t.ok(rowCount);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await users.ping();
  });

  t.test('an address where nobody answers is a fault within seconds', async (t) => {
    const db = opened(t, 'postgres://nobody@127.0.0.1:1/none');
    await t.rejects(sql`select 1`.execute(db), { code: 'ECONNREFUSED' });
  });
});
