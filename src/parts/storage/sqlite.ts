import type { Dialect } from 'kysely';
import { SharedSqliteDialect } from './sqlite-dialect.ts';
import { makePrivate } from './sqlite-file.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface SqliteSettings {
  /** How long a query waits for a lock that another process holds (ms). */
  timeout: number;
  /** Hears what the operator should know. */
  warn?: ((message: string) => void) | undefined;
}

/** One SQLite file, made where it is not there; or `:memory:`. */
export function sqlite(path: string, { timeout: patience, warn }: SqliteSettings): Dialect {
  // In memory there is no lock of others and no disk, so nothing to wait for: no thread is needed.
  if (path === ':memory:') return new SharedSqliteDialect(new SqliteQueue({ path, patience }));
  const warning = makePrivate(path);
  if (warning !== undefined) warn?.(warning);
  return new SharedSqliteDialect(new SqliteThread({ path, patience }));
}
