import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { openDatabase } from '../../src/parts/storage/database.ts';
import { migrations } from '../../src/parts/storage/migrations.ts';
import { startPostgres } from './postgres.ts';
import type { Bench } from './run.ts';
import type { Longest } from './sides/writing.ts';
import { startTask } from './sides.ts';
import { atMost, type Row } from './table.ts';

/** `ROWS=100000` for a quick look. */
const ROWS = Number(process.env['ROWS'] ?? 1_000_000);
const STEP = 50_000;
const SERVICES = 1_000;

/** How long others wait while the table of a million users is migrated: each migration, and each engine. */
export async function migrating(bench: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const postgres = await startPostgres();
  try {
    return [
      ...(await migrateWhileWritten(bench, 'SQLite', `file:${join(folder, 'big.db')}`)),
      ...(await migrateWhileWritten(bench, 'PostgreSQL', await postgres.create('big'))),
    ];
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

async function migrateWhileWritten(bench: Bench, engine: string, url: string): Promise<Row[]> {
  const db = openDatabase({ url, pool: 2, timeout: 60_000 }) as unknown as Kysely<unknown>;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    disableTransactions: true,
  });
  const to = async (name: string) => {
    const { error } = await migrator.migrateTo(name);
    if (error !== undefined) throw error;
  };
  const [first = '', ...later] = Object.keys(migrations).sort();
  await to(first);
  const id = engine === 'SQLite' ? "printf('id%010d', n)" : "'id' || lpad(n::text, 10, '0')";
  for (let from = 0; from < ROWS; from += STEP) {
    bench.progress(`${engine}: a table of ${ROWS} users: ${Math.round((100 * from) / ROWS)} %`);
    await sql
      .raw(
        `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n + 1 < ${from + STEP})
         insert into users (id, kind, email_key, password_hash, roles, status, token_version, sessions, throttle, mfa,
           revoked_at, row_version, created_at, updated_at)
         select ${id}, case when n % ${SERVICES} = 0 then 'service' else 'person' end, ${id} || '@example.com',
           '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
           '[]', 'active', 1, '[]', '[]', '{}', n, 0, 0, 0 from numbers`,
      )
      .execute(db);
  }
  const writer = await startTask<'start' | 'stop', Longest>('writing.ts', {
    DATABASE_URL: url,
    COUNT: String(ROWS),
  });
  const rows: Row[] = [];
  for (const name of later) {
    bench.progress(`${engine}: ${name}`);
    await writer.ask('start');
    const began = performance.now();
    await to(name);
    const took = performance.now() - began;
    const { longest, writes } = await writer.ask('stop');
    bench.say(
      `${engine}, ${name}: ${Math.round(took)} ms; ${writes} writes of another process meanwhile, the longest ${Math.round(longest)} ms`,
    );
    rows.push(
      atMost(`${engine}: ${name}, ${ROWS} users: the longest wait of a writer`, longest, {
        target: 1_000,
        unit: 'ms',
      }),
    );
  }
  await writer.stop();
  await db.destroy();
  return rows;
}
