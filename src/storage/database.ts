import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SQLite from 'better-sqlite3';
import {
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresDialect,
  SqliteDialect,
  sql,
} from 'kysely';
import pg from 'pg';
import type { User } from '../schemas/user.ts';

type JsonColumn = 'roles' | 'sessions' | 'throttle' | 'mfa';

/** A row as the database has it: the JSON columns are text, so that one schema serves every engine. */
export type UserRow = Omit<User, JsonColumn> & Record<JsonColumn, string>;

/** The id of the row that is no user's (`storage/migrations.ts`). */
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
  plugins?: KyselyPlugin[];
}

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

function postgres(url: string, connections: number): PostgresDialect {
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

function sqlite(path: string): SqliteDialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new SQLite(path, { timeout: 2_000 });
  database.pragma('journal_mode = WAL');
  // With WAL, only FULL makes each commit survive a power cut.
  database.pragma('synchronous = FULL');
  return new SqliteDialect({ database });
}

/** Opens the database. A PostgreSQL server is first spoken to by the first query. */
export function openDatabase({ url, pool, plugins = [] }: DatabaseOptions): Database {
  const dialect = url.startsWith('file:') ? sqlite(url.slice('file:'.length)) : postgres(url, pool);
  return new Kysely<Tables>({ dialect, plugins });
}
