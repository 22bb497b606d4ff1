import { Kysely, type KyselyPlugin, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { User } from '../../schemas/user.ts';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';
import { SharedSqliteAdapter, type SqliteUse } from './sqlite-dialect.ts';

type JsonColumn = 'roles' | 'sessions' | 'throttle' | 'mfa';

/** A row as stored. JSON columns are text, so that one schema serves every engine. */
export type UserRow = Omit<User, JsonColumn> & Record<JsonColumn, string>;

/** The ID of the decoy row, which belongs to no user (`parts/storage/migrations.ts`). */
export const DECOY = '00000000-0000-7000-8000-000000000000';

export interface Tables {
  users: UserRow;
}
export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** `file:PATH`, `file::memory:` or `postgres://…`. */
  url: string;
  /** Maximum number of connections (PostgreSQL only). */
  pool: number;
  /** Time limit of a statement, including the wait for a lock (ms). */
  timeout?: number;
  /** Called with a warning for the operator about the database file. */
  warn?: ((message: string) => void) | undefined;
  plugins?: KyselyPlugin[];
}

/** The default (ms). */
const TIMEOUT = 5_000;

/** Opens the database. The first query connects. */
export function openDatabase({
  url,
  pool,
  timeout = TIMEOUT,
  plugins = [],
  warn,
}: DatabaseOptions): Database {
  const dialect = url.startsWith('file:')
    ? sqlite(url.slice('file:'.length), { timeout, warn })
    : postgres(url, { connections: pool, timeout });
  return new Kysely<Tables>({ dialect, plugins });
}

/** A text column sorted by bytes, regardless of the database's collation. */
export const byBytes = (db: Database, column: keyof UserRow): RawBuilder<string> =>
  sql`${sql.ref(column)} collate ${sql.raw(db.getExecutor().adapter instanceof PostgresAdapter ? '"C"' : 'binary')}`;

/**
 * Erases old versions of rows from the SQLite files. Call it after a row was emptied or removed. PostgreSQL leaves
 * this to VACUUM. The deletion is committed already, so a failure is ignored: the next clean-up tries again.
 */
export async function eraseOldVersions(db: Database): Promise<void> {
  const executor = db.getExecutor();
  if (!(executor.adapter instanceof SharedSqliteAdapter)) return;
  await executor.provideConnection((use) => (use as SqliteUse).erase()).catch(() => {});
}
