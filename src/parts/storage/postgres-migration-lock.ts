import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import type pg from 'pg';
import { isLostRace, isTimeout } from './faults.ts';
import type { PostgresHosts } from './postgres-hosts.ts';
import { LIMITS, type PostgresLimits } from './postgres-limits.ts';

/** Milliseconds. */
const RETRY_EVERY = 200;

/**
 * One node migrates at a time: it holds a row lock on a connection of its own, because its steps are no transaction. Not
 * every engine has advisory locks, and behind PgBouncer a session has none.
 */
export class PostgresMigrationLock extends PostgresAdapter {
  readonly #limits: PostgresLimits;
  readonly #hosts: PostgresHosts;
  #holder: pg.Client | undefined;

  constructor(limits: PostgresLimits, hosts: PostgresHosts) {
    super();
    this.#limits = limits;
    this.#hosts = hosts;
  }

  /** Turns the time limits off: an index of a large table takes longer to build than a request's statement may run. */
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    this.#limits.areOff = true;
    const holder = this.#hosts.newClient();
    this.#holder = holder;
    await holder.connect();
    while (!(await tryLocking(holder))) await sleep(RETRY_EVERY);
    for (const limit of LIMITS) await sql.raw(`set ${limit} = 0`).execute(db);
  }

  override async releaseMigrationLock(db: Kysely<unknown>): Promise<void> {
    this.#limits.areOff = false;
    await this.#holder?.end();
    await sql.raw(this.#limits.settings).execute(db);
  }
}

/** False: another node migrates. It is not waited for in the transaction, which would occupy a connection of PgBouncer. */
async function tryLocking(holder: pg.Client): Promise<boolean> {
  // A snapshot would hold up the building of an index, so not a stricter level that may be the default here.
  await holder.query('begin isolation level read committed');
  try {
    for (const limit of LIMITS) await holder.query(`set local ${limit} = 0`);
    await holder.query('select * from kysely_migration_lock for update nowait');
    return true;
  } catch (error) {
    await holder.query('rollback');
    if (isTimeout(error) || isLostRace(error)) return false;
    throw error;
  }
}
