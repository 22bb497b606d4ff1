/** A process that changes rows of an old table of COUNT users, one after another, and remembers the longest wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { openDatabase } from '../../../src/parts/storage/database.ts';

export interface Longest {
  /** Milliseconds. */
  longest: number;
  writes: number;
}

const database = openDatabase({
  url: process.env['DATABASE_URL'] as string,
  pool: 2,
  timeout: 60_000,
});
const count = Number(process.env['COUNT']);

let isWriting = false;
let taken: Longest = { longest: 0, writes: 0 };

async function write(): Promise<void> {
  taken = { longest: 0, writes: 0 };
  while (isWriting) {
    const id = `id${String(Math.floor(Math.random() * count)).padStart(10, '0')}`;
    const began = performance.now();
    await sql`update users set row_version = row_version + 1, revoked_at = ${Date.now()} where id = ${id}`.execute(
      database,
    );
    taken.longest = Math.max(taken.longest, performance.now() - began);
    taken.writes += 1;
    await sleep(2);
  }
}

let writing = Promise.resolve();
process.on('message', async (what: 'start' | 'stop') => {
  isWriting = what === 'start';
  if (isWriting) writing = write();
  else await writing;
  process.send?.(taken);
});
process.send?.('ready');
