import type { Dialect } from 'kysely';
import { SharedSqliteDialect } from './sqlite-dialect.ts';
import { makePrivate } from './sqlite-file.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface SqliteSettings {
  /** How long a query waits for a lock that another process holds (ms). */
  timeout: number;
  /** Called with what the operator should know. */
  warn?: ((message: string) => void) | undefined;
}

/** A SQLite file, created if it is missing, or `:memory:`. */
export function sqlite(path: string, { timeout: patience, warn }: SqliteSettings): Dialect {
  // In memory there is no lock of another process and no disk to wait for, so no thread is needed.
  if (path === ':memory:') return new SharedSqliteDialect(new SqliteQueue({ path, patience }));
  const warning = makePrivate(path);
  if (warning !== undefined) warn?.(warning);
  return new SharedSqliteDialect(new SqliteThread({ path, patience }));
}
