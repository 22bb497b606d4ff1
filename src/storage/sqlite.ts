import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SQLite from 'better-sqlite3';
import { SqliteDialect } from 'kysely';

/** One SQLite file, made where it is not there; or `:memory:`. */
export function sqlite(path: string): SqliteDialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new SQLite(path, { timeout: 2_000 });
  database.pragma('journal_mode = WAL');
  // With WAL, only FULL makes each commit survive a power cut.
  database.pragma('synchronous = FULL');
  return new SqliteDialect({ database });
}
