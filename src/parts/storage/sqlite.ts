import type { Dialect } from 'kysely';
import { SharedSqliteDialect } from './sqlite-dialect.ts';
import { makePrivate } from './sqlite-file.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface SqliteSettings {
  /** How long a query waits for a lock of another process (ms). */
  timeout: number;
  /** Called with a warning for the operator. */
  warn?: ((message: string) => void) | undefined;
}

/** A SQLite file, created if it is missing, or `:memory:`. */
export function sqlite(path: string, { timeout: patience, warn }: SqliteSettings): Dialect {
  // An in-memory database has no disk and no foreign locks to wait for, so it needs no thread.
  if (path === ':memory:') return new SharedSqliteDialect(new SqliteQueue({ path, patience }));
  const warning = makePrivate(path);
  if (warning !== undefined) warn?.(warning);
  return new SharedSqliteDialect(new SqliteThread({ path, patience }));
}
