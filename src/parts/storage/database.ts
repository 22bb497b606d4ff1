import { Kysely, type KyselyPlugin, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';
import { SharedSqliteAdapter, type SqliteUse } from './sqlite-dialect.ts';
import type { UserRow } from './user-row.ts';

export interface Tables {
  users: UserRow;
}
export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** `file:PATH`, `file::memory:` or `postgres://…`. */
  url: string;
  /** Connections (PostgreSQL). */
  pool: number;
  /** The most time a statement may take (ms), including the wait for a lock. */
  timeout?: number;
  /** PostgreSQL: the PEM file of the authority that signed the server's certificate. */
  authority?: string | undefined;
  /** Called with what the operator should know about the file or the connection. */
  warn?: ((message: string) => void) | undefined;
  plugins?: KyselyPlugin[];
  /** Called with the connections (PostgreSQL). */
  pooled?: ((pool: PoolUse) => void) | undefined;
}

/** Connections, and calls that wait for one. */
export interface PoolUse {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The default (ms). */
const TIMEOUT = 5_000;

/** Opens the database. The first query connects. */
export function openDatabase({
  url,
  pool,
  timeout = TIMEOUT,
  plugins = [],
  authority,
  warn,
  pooled,
}: DatabaseOptions): Database {
  const dialect = url.startsWith('file:')
    ? sqlite(url.slice('file:'.length), { timeout, warn })
    : postgres(url, { connections: pool, timeout, authority, warn, pooled });
  return new Kysely<Tables>({ dialect, plugins });
}

/** A text column in byte order, independent of the database's collation. */
export const byBytes = (db: Database, column: keyof UserRow): RawBuilder<string> =>
  sql`${sql.ref(column)} collate ${sql.raw(db.getExecutor().adapter instanceof PostgresAdapter ? '"C"' : 'binary')}`;

/**
 * Erases old versions of rows from the files of SQLite. Call it after a row was emptied or removed. On PostgreSQL,
 * VACUUM does this. A failure is ignored, as the change itself is committed: the next clean-up erases again.
 */
export async function eraseOldVersions(db: Database): Promise<void> {
  const executor = db.getExecutor();
  if (!(executor.adapter instanceof SharedSqliteAdapter)) return;
  await executor.provideConnection((use) => (use as SqliteUse).erase()).catch(() => {});
}
