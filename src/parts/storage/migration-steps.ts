import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import { isLostRace, isTimeout } from './faults.ts';

// What migrations are made of. Each step may be interrupted and repeated, and other nodes read and write meanwhile.

type Schema = Kysely<unknown>;

/** How long a step waits for a lock (ms): everything that comes after it queues behind it meanwhile. */
const LOCK_WITHIN = 200;
const TRIES = 100;
const PAUSE = 200;

/** In which another process that waits for the lock of SQLite gets it (ms): it tries every 50 ms. */
const TURN = 75;

/** Rows of one write. */
const BATCH = 1_000;

const isPostgres = (db: Schema): boolean => db.getExecutor().adapter instanceof PostgresAdapter;

/** Runs `work` in a transaction. Gives up instead of waiting for a lock, and tries again later. */
export async function shortly(
  db: Schema,
  work: (transaction: Schema) => Promise<unknown>,
): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      await db.transaction().execute(async (transaction) => {
        if (isPostgres(db))
          await sql.raw(`set local lock_timeout = ${LOCK_WITHIN}`).execute(transaction);
        await work(transaction);
      });
      return;
    } catch (error) {
      const isPassing = isLostRace(error) || isTimeout(error);
      if (!isPassing || round === TRIES) throw error;
    }
    await sleep(PAUSE);
  }
}

/** Whether the database has the table of users. */
export async function hasUsers(db: Schema): Promise<boolean> {
  const { rows } = isPostgres(db)
    ? await sql`select 1 where to_regclass('users') is not null`.execute(db)
    : await sql`select 1 from sqlite_master where name = 'users'`.execute(db);
  return rows.length > 0;
}

async function hasColumn(db: Schema, name: string): Promise<boolean> {
  const { rows } = isPostgres(db)
    ? await sql`select 1 from pg_attribute where attrelid = to_regclass('users') and attname = ${name}`.execute(
        db,
      )
    : await sql`select 1 from pragma_table_info('users') where name = ${name}`.execute(db);
  return rows.length > 0;
}

/** `type`: in SQL, with its default. A default that is a constant is not written to the rows, so it costs no time. */
export async function addColumn(db: Schema, name: string, type: string): Promise<void> {
  const add = sql.raw(`alter table users add column ${name} ${type}`);
  await shortly(db, async (transaction) => {
    if (!(await hasColumn(transaction, name))) await add.execute(transaction);
  });
}

/**
 * `on`: the columns in SQL, and the condition of a partial index. PostgreSQL builds it beside the writes of others.
 * SQLite builds it in one statement: other processes go on reading, and their writes wait.
 */
export async function addIndex(
  db: Schema,
  name: string,
  on: string,
  what: 'index' | 'unique index' = 'index',
): Promise<void> {
  if (!isPostgres(db)) {
    await sql.raw(`create ${what} if not exists ${name} on users ${on}`).execute(db);
    await sleep(TURN);
    return;
  }
  // What an interrupted build leaves: it costs every write, and no query uses it.
  const { rows } =
    await sql`select 1 from pg_index where indexrelid = to_regclass(${name}) and not indisvalid`.execute(
      db,
    );
  if (rows.length > 0) await dropIndex(db, name);
  await sql.raw(`create ${what} concurrently if not exists ${name} on users ${on}`).execute(db);
}

/** Not CONCURRENTLY, which YugabyteDB lacks: the lock is held for a moment only. */
export async function dropIndex(db: Schema, name: string): Promise<void> {
  const drop = sql.raw(`drop index if exists ${name}`);
  await shortly(db, (transaction) => drop.execute(transaction));
}

/**
 * Calls `write` with ranges of IDs, each in a transaction of its own. Together they cover the rows for which `which` is
 * true. `write` must leave rows alone that it has written before.
 */
export async function inBatches(
  db: Schema,
  which: string,
  write: (transaction: Schema, range: RawBuilder<boolean>) => Promise<unknown>,
): Promise<void> {
  let after = '';
  for (;;) {
    const { rows } = await sql<{ last: string | null }>`
      select max(id) as last from
        (select id from users where ${sql.raw(which)} and id > ${after} order by id limit ${sql.lit(BATCH)}) as batch
    `.execute(db);
    const [{ last }] = rows as [{ last: string | null }];
    if (last === null) return;
    const range = sql<boolean>`${sql.raw(which)} and id > ${after} and id <= ${last}`;
    const began = performance.now();
    await shortly(db, (transaction) => write(transaction, range));
    // The lock of SQLite is not fair: without a pause, another process might never get it.
    await sleep(performance.now() - began);
    after = last;
  }
}
