import { Kysely, type KyselyPlugin, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { User } from '../../schemas/user.ts';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';
import { SharedSqliteAdapter, type SqliteUse } from './sqlite-dialect.ts';

export const JSON_COLUMNS = ['roles', 'sessions', 'throttle', 'mfa', 'secret_hashes'] as const;

type JsonColumn = (typeof JSON_COLUMNS)[number];

/** A row as the database has it: the JSON columns are text, so that one schema serves every engine. */
export type UserRow = Omit<User, JsonColumn> & {
  [Column in JsonColumn]: string | Extract<User[Column], null>;
};

/** The id of the row that is no user's (`parts/storage/migrations.ts`). */
export const DECOY = '00000000-0000-7000-8000-000000000000';

export interface Tables {
  users: UserRow;
}
export type Database = Kysely<Tables>;

export interface DatabaseOptions {
  /** `file:PATH`, `file::memory:` or `postgres://…`. */
  url: string;
  /** Connections (PostgreSQL). */
  pool: number;
  /** How long a statement may take, waiting for a lock included (ms). */
  timeout?: number;
  /** Hears what the operator should know of a file. */
  warn?: ((message: string) => void) | undefined;
  plugins?: KyselyPlugin[];
}

/** Where nothing else is asked for. */
const TIMEOUT = 5_000;

/** Opens the database. It is first spoken to by the first query. */
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

/** A column of texts in the order of their bytes, whatever the order of the database is. */
export const byBytes = (db: Database, column: keyof UserRow): RawBuilder<string> =>
  sql`${sql.ref(column)} collate ${sql.raw(db.getExecutor().adapter instanceof PostgresAdapter ? '"C"' : 'binary')}`;

/**
 * Leaves no old version of a row in the files of SQLite: to be called when a row was emptied or removed. On
 * PostgreSQL that is the work of VACUUM. What is committed stays committed, so a failure is nobody's fault: the next
 * clean-up erases again.
 */
export async function eraseOldVersions(db: Database): Promise<void> {
  const executor = db.getExecutor();
  if (!(executor.adapter instanceof SharedSqliteAdapter)) return;
  await executor.provideConnection((use) => (use as SqliteUse).erase()).catch(() => {});
}
