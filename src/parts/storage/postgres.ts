import { Socket } from 'node:net';
import {
  type Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresDialectConfig,
  sql,
} from 'kysely';
import pg from 'pg';

/** Migrations wait for one another on the lock row, as not every PostgreSQL-compatible engine has advisory locks. */
class RowLockAdapter extends PostgresAdapter {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    super();
    this.#limits = limits;
  }

  /** A new index of a large table takes longer than any statement of a request may. */
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

/** How long a connection, new or of the pool, is waited for (ms). */
const CONNECT_WITHIN = 2_000;
const IDLE = 10_000;

/** A lock is given up before its statement is, so that the log can tell the two apart. */
const LOCK_SHARE = 0.8;

/** What the server is given to answer that it has cancelled a statement (ms), before it is taken for gone. */
const ANSWER_WITHIN = 1_000;

/** How long PostgreSQL works for a request, kept by itself and, where it does not answer, by this side. */
class Limits {
  readonly settings: string;
  readonly #silence: number;
  /** While a migration runs, when nobody else uses the pool. */
  areOff = false;

  constructor(timeout: number) {
    this.settings = [
      `set statement_timeout = ${timeout}`,
      `set lock_timeout = ${Math.ceil(timeout * LOCK_SHARE)}`,
      `set idle_in_transaction_session_timeout = ${timeout}`,
    ].join('; ');
    this.#silence = timeout + ANSWER_WITHIN;
  }

  /** A connection whose answer does not come is destroyed: in the pool, the next query would wait behind this one. */
  socket(): Socket {
    const socket = new Socket();
    socket.setTimeout(this.#silence, () => {
      if (this.areOff) return;
      const error = new Error(`nothing came from PostgreSQL for ${this.#silence} ms`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
    return socket;
  }
}

/** PostgreSQL, or an engine that speaks its protocol. The server is first spoken to by the first query. */
export function postgres(
  url: string,
  { connections, timeout }: { connections: number; timeout: number },
): PostgresDialect {
  const limits = new Limits(timeout);
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: Math.min(CONNECT_WITHIN, timeout),
    idleTimeoutMillis: Math.min(IDLE, timeout),
    keepAlive: true,
    stream: () => limits.socket(),
    // Not as start-up parameters: PgBouncer refuses a connection that sends any it does not know.
    onConnect: (client) => client.query(limits.settings),
    types: {
      // Instants and counters stay far below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  });
  // A connection that breaks, idle or in mid-query, is replaced at the next query, and its query is told. Unheard,
  // the event would end the process.
  const unmoved = () => {};
  pool.on('error', unmoved);
  pool.on('connect', (client) => client.on('error', unmoved));
  return new LimitedDialect({ pool }, limits);
}
