/**
 * What one process does at best with durable commits, one after another: it reads a row as this server stores it, and
 * writes back what a refresh changes. The pragmas are those of `src/parts/storage/sqlite-connection.ts`.
 */
import SQLite from 'better-sqlite3';
import { filled } from './filled.ts';

const path = process.env['FILE'] as string;
const ids = await filled(`file:${path}`);
const database = new SQLite(path);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('secure_delete = ON');
database.pragma('temp_store = MEMORY');
const read = database.prepare('select * from users where id = ?');
const write = database.prepare(
  'update users set sessions = ?, updated_at = ?, row_version = row_version + 1 where id = ? and row_version = ?',
);

process.on('message', (milliseconds: number) => {
  const from = performance.now();
  let commits = 0;
  while (performance.now() - from < milliseconds) {
    const row = read.get(ids[commits % ids.length]) as Record<string, unknown>;
    write.run(row['sessions'], Date.now(), row['id'], row['row_version']);
    commits += 1;
  }
  process.send?.((commits * 1_000) / (performance.now() - from));
});
process.send?.('ready');
