import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, spread } from './measure.ts';
import { startPostgres } from './postgres.ts';
import type { Bench } from './run.ts';
import { startRaw, startSide } from './sides.ts';
import { atLeast, type Row } from './table.ts';

/** Clients that each refresh their own session, one refresh after another. */
const CLIENTS = 32;

interface Sides {
  name: string;
  /** The database of the server. */
  url: string;
  raw: { file: string; env: NodeJS.ProcessEnv };
}

/** `POST /v1/refresh` with durable commits beside one row read and written durably, one after another. */
export async function refresh(bench: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const postgres = await startPostgres();
  try {
    const onSqlite = await ratios(bench, {
      name: 'SQLite',
      url: `file:${join(folder, 'server.db')}`,
      raw: { file: 'raw-sqlite.ts', env: { FILE: join(folder, 'raw.db') } },
    });
    const onPostgres = await ratios(bench, {
      name: 'PostgreSQL',
      url: await postgres.create('server'),
      raw: { file: 'raw-postgres.ts', env: { DATABASE_URL: await postgres.create('raw') } },
    });
    return [
      atLeast('refreshes on SQLite ÷ raw durable commits', median(onSqlite), 0.6, spread(onSqlite)),
      {
        what: 'refreshes on PostgreSQL ÷ raw durable commits',
        target: '',
        figure: median(onPostgres).toFixed(2),
      },
    ];
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Refreshes per second ÷ raw commits per second, round by round. */
async function ratios(
  { loader, rounds, seconds, progress, say }: Bench,
  { name, url, raw: { file, env } }: Sides,
): Promise<number[]> {
  const SESSIONS = String(CLIENTS * (rounds + 1));
  const server = await startSide('latchkey.ts', { SESSIONS, DATABASE_URL: url });
  const raw = await startRaw(file, env);
  const measured: { rate: number; cost: number; commits: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    progress(`refreshes on ${name}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    const before = await server.processorTime();
    const {
      answers,
      refused,
      seconds: took,
    } = await loader.load({
      port: server.said.port,
      connections: CLIENTS,
      milliseconds: seconds * 1_000,
      requests: [],
      refreshTokens: server.said.refreshTokens.slice(round * CLIENTS, (round + 1) * CLIENTS),
    });
    if (refused > 0) throw new Error(`${refused} refreshes were not answered with 2xx`);
    const cost = ((await server.processorTime()) - before) / answers;
    const commits = await raw.commits((seconds * 1_000) / 3);
    if (round > 0) measured.push({ rate: answers / took, cost, commits });
  }
  await server.stop();
  await raw.stop();
  const of = (part: 'rate' | 'cost' | 'commits') => median(measured.map((one) => one[part]));
  say(
    `refreshes on ${name}: ${Math.round(of('rate'))} a second, ${of('cost').toFixed(1)} µs of processor time each; raw commits: ${Math.round(of('commits'))} a second`,
  );
  return measured.map(({ rate, commits }) => rate / commits);
}
