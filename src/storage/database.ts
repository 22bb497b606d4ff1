import { Kysely, type KyselyPlugin } from 'kysely';
import type { User } from '../schemas/user.ts';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';

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
  /** How long a statement may take, waiting for a lock included (ms). */
  timeout?: number;
  plugins?: KyselyPlugin[];
}

/** Where nothing else is asked for. */
const TIMEOUT = 5_000;

/** Opens the database. A PostgreSQL server is first spoken to by the first query. */
export function openDatabase({
  url,
  pool,
  timeout = TIMEOUT,
  plugins = [],
}: DatabaseOptions): Database {
  const dialect = url.startsWith('file:')
    ? sqlite(url.slice('file:'.length), { timeout })
    : postgres(url, { connections: pool, timeout });
  return new Kysely<Tables>({ dialect, plugins });
}
