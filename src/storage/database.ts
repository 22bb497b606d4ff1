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
  plugins?: KyselyPlugin[];
}

/** Opens the database. A PostgreSQL server is first spoken to by the first query. */
export function openDatabase({ url, pool, plugins = [] }: DatabaseOptions): Database {
  const dialect = url.startsWith('file:') ? sqlite(url.slice('file:'.length)) : postgres(url, pool);
  return new Kysely<Tables>({ dialect, plugins });
}
