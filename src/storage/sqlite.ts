import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SQLite from 'better-sqlite3';
import { SqliteDialect } from 'kysely';

/** One SQLite file, made where it is not there; or `:memory:`. `timeout`: how long another's lock is waited for (ms). */
export function sqlite(path: string, { timeout }: { timeout: number }): SqliteDialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new SQLite(path, { timeout });
  database.pragma('journal_mode = WAL');
  // With WAL, only FULL makes each commit survive a power cut.
  database.pragma('synchronous = FULL');
  return new SqliteDialect({ database });
}
