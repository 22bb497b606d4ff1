import { type Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

/** Migrations wait for one another on the lock row, as not every PostgreSQL-compatible engine has advisory locks. */
class RowLockAdapter extends PostgresAdapter {
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await sql`select * from kysely_migration_lock for update`.execute(db);
  }
}

class RowLockDialect extends PostgresDialect {
  override createAdapter() {
    return new RowLockAdapter();
  }
}

const INT8 = 20;

/** PostgreSQL, or an engine that speaks its protocol. The server is first spoken to by the first query. */
export function postgres(url: string, connections: number): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
    types: {
      // Instants and counters stay far below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  });
  // An idle connection that breaks is replaced at the next query; unheard, the event would end the process.
  pool.on('error', () => {});
  return new RowLockDialect({ pool });
}
