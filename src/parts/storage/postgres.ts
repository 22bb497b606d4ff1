import { Socket } from 'node:net';
import {
  type Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresDialectConfig,
  sql,
} from 'kysely';
import pg from 'pg';
import type { PoolUse } from './database.ts';

/** Migrations lock a row: not every PostgreSQL-compatible engine has advisory locks. */
class RowLockAdapter extends PostgresAdapter {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    super();
    this.#limits = limits;
  }

  /** Turns the time limits off: an index of a large table takes longer to build than a request's statement may run. */
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    this.#limits.areOff = true;
    await sql`set statement_timeout = 0`.execute(db);
    await sql`select * from kysely_migration_lock for update`.execute(db);
  }

  override async releaseMigrationLock(db: Kysely<unknown>): Promise<void> {
    this.#limits.areOff = false;
    await sql.raw(this.#limits.settings).execute(db);
  }
}

class LimitedDialect extends PostgresDialect {
  readonly #limits: Limits;

  constructor(config: PostgresDialectConfig, limits: Limits) {
    super(config);
    this.#limits = limits;
  }

  override createAdapter() {
    return new RowLockAdapter(this.#limits);
  }
}

const INT8 = 20;

/** Time limit for getting a connection, new or from the pool (ms). */
const CONNECT_WITHIN = 2_000;
const IDLE = 10_000;

/** The lock timeout is shorter than the statement timeout, so that the log can tell the two apart. */
const LOCK_SHARE = 0.8;

/** How long the server may take to report a cancelled statement (ms) before it counts as gone. */
const ANSWER_WITHIN = 1_000;

/** Time limits of a statement: enforced by PostgreSQL and, if it does not answer, by the socket. */
class Limits {
  readonly settings: string;
  readonly #silence: number;
  /** True while a migration runs; nothing else uses the pool then. */
  areOff = false;

  constructor(timeout: number) {
    this.settings = [
      `set statement_timeout = ${timeout}`,
      `set lock_timeout = ${Math.ceil(timeout * LOCK_SHARE)}`,
      `set idle_in_transaction_session_timeout = ${timeout}`,
    ].join('; ');
    this.#silence = timeout + ANSWER_WITHIN;
  }

  /** Destroys a connection that gets no answer: back in the pool, it would block the next query. */
  socket(): Socket {
    const socket = new Socket();
    socket.setTimeout(this.#silence, () => {
      if (this.areOff) return;
      const error = new Error(`no answer from PostgreSQL for ${this.#silence} ms`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
    return socket;
  }
}

/** PostgreSQL, or an engine that speaks its protocol. The first query connects. */
export function postgres(
  url: string,
  {
    connections,
    timeout,
    pooled,
  }: { connections: number; timeout: number; pooled?: ((pool: PoolUse) => void) | undefined },
): PostgresDialect {
  const limits = new Limits(timeout);
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: Math.min(CONNECT_WITHIN, timeout),
    idleTimeoutMillis: Math.min(IDLE, timeout),
    keepAlive: true,
    stream: () => limits.socket(),
    // Not as start-up parameters: PgBouncer refuses connections with parameters it does not know.
    onConnect: (client) => client.query(limits.settings),
    types: {
      // Timestamps and counters stay far below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  });
  // The pool replaces a broken connection, and its query rejects. Without a listener, the 'error' event would end
  // the process.
  const unmoved = () => {};
  pool.on('error', unmoved);
  pool.on('connect', (client) => client.on('error', unmoved));
  pooled?.(pool);
  return new LimitedDialect({ pool }, limits);
}
