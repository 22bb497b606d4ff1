import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crowd, revoke } from './crowd.ts';
import { median } from './measure.ts';
import { startPostgres } from './postgres.ts';
import type { Bench } from './run.ts';
import type { Asked, Took } from './sides/growing.ts';
import { startTask, type Task } from './sides.ts';
import { atMost, type Row } from './table.ts';

const SMALL = 1_000;
/** Making a million rows takes PostgreSQL minutes. */
const LARGE = { SQLite: 1_000_000, PostgreSQL: 100_000 };
const BETWEEN = 100_000;
/** Revoked in the last moment, at every size; later also these. */
const FEW = 200;
const WINDOWS = [3_000, 30_000, 90_000];

/** What is done, and how often in a round. */
const TIMES: [does: Asked['does'], times: number][] = [
  ['the clean-up', 3],
  ['a start', 3],
  ['a sign-in look-up', 1_000],
  ['the write of a refresh', 200],
  ['a search by address', 100],
  ['the list of service accounts', 100],
  ['a revocation poll', 30],
];

interface Table {
  url: string;
  count: number;
  node: Task<Asked, Took>;
}

/** What grows with the table: all users of it were revoked once. */
export async function growth(bench: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const postgres = await startPostgres();
  try {
    const onSqlite = await grow(bench, {
      engine: 'SQLite',
      create: async (name) => `file:${join(folder, `${name}.db`)}`,
    });
    const onPostgres = await grow(bench, { engine: 'PostgreSQL', create: postgres.create });
    return [...onSqlite, ...onPostgres];
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

interface Engine {
  engine: keyof typeof LARGE;
  create(name: string): Promise<string>;
}

async function grow(bench: Bench, { engine, create }: Engine): Promise<Row[]> {
  const tables: Table[] = [];
  for (const count of new Set([SMALL, BETWEEN, LARGE[engine]])) {
    const url = await create(`crowd${count}`);
    await crowd(url, count, (made) =>
      bench.progress(`${engine}: a table of ${count} users: ${Math.round((100 * made) / count)} %`),
    );
    const node = await startTask<Asked, Took>('growing.ts', {
      DATABASE_URL: url,
      COUNT: String(count),
    });
    tables.push({ url, count, node });
  }
  const measured = await rounds(bench, engine, tables);
  const [small, ...larger] = tables as [Table, ...Table[]];
  // The processor time of the node has all that SQLite does, and nothing that others do on this machine.
  const unit = engine === 'SQLite' ? 'processor' : 'milliseconds';
  const rows: Row[] = [];
  let longest = 0;
  for (const [does] of TIMES) {
    const of = (table: Table) => measured.get(table)?.get(does) ?? [];
    longest = Math.max(longest, ...tables.map((table) => middle(of(table)).longest));
    bench.say(
      `${engine}, ${does}: ${tables.map((table) => told(table, middle(of(table)))).join(', ')}`,
    );
    for (const large of larger) {
      const ratio = median(
        of(large).map((took, round) => took[unit] / (of(small)[round] as Took)[unit]),
      );
      rows.push({
        what: `${engine}: ${does}, ${large.count} ÷ ${small.count} users`,
        target: '≤ 1.2',
        figure: ratio.toFixed(2),
        reached: ratio <= 1.2,
      });
    }
  }
  const polls = await windows(bench, engine, tables.at(-1) as Table);
  rows.push(
    atMost(`${engine}: the event loop held by any of them`, Math.max(longest, polls), {
      target: 20,
      unit: 'ms',
    }),
  );
  for (const { node } of tables) await node.stop();
  return rows;
}

const told = ({ count }: Table, { milliseconds, processor }: Took): string =>
  `${count} users ${milliseconds.toFixed(2)} ms (${processor.toFixed(2)} ms of processor time)`;

const middle = (all: Took[]): Took => ({
  milliseconds: median(all.map(({ milliseconds }) => milliseconds)),
  processor: median(all.map(({ processor }) => processor)),
  // What the code does by itself: it does so in every round, and what else the machine does adds to it.
  longest: Math.min(...all.map(({ longest }) => longest)),
});

/** Does everything on every table in turn, round by round. The first round warms up. */
async function rounds(
  { rounds: count, progress }: Bench,
  engine: string,
  tables: Table[],
): Promise<Map<Table, Map<Asked['does'], Took[]>>> {
  const measured = new Map(tables.map((table) => [table, new Map<Asked['does'], Took[]>()]));
  for (let round = 0; round <= count; round += 1) {
    for (const table of tables) {
      progress(`${engine}: ${table.count} users: round ${round} of ${count}`);
      const { url, node } = table;
      const until = table.count / 2;
      await revoke(url, { from: until - FEW, until, instant: Date.now() });
      for (const [does, times] of TIMES) {
        const took = await node.ask({ does, times });
        const all = measured.get(table)?.get(does) ?? [];
        if (round > 0) measured.get(table)?.set(does, [...all, took]);
      }
    }
  }
  return measured;
}

/** Polls with more and more revocations within the overlap. Returns the longest that one held the event loop (ms). */
async function windows(
  { progress, say }: Bench,
  engine: string,
  { url, node }: Table,
): Promise<number> {
  let longest = 0;
  for (const many of WINDOWS) {
    progress(`${engine}: the poll with ${many} revocations in its window`);
    await revoke(url, { from: 0, until: many, instant: Date.now() + 60_000 });
    await node.ask({ does: 'a revocation poll', times: 1 });
    const all: Took[] = [];
    for (let round = 0; round < 5; round += 1)
      all.push(await node.ask({ does: 'a revocation poll', times: 3 }));
    const took = middle(all);
    longest = Math.max(longest, took.longest);
    say(
      `${engine}, a poll with ${many} revocations in its window: ${took.milliseconds.toFixed(1)} ms (${took.processor.toFixed(1)} ms of processor time), the event loop held for ${took.longest.toFixed(1)} ms`,
    );
  }
  return longest;
}
