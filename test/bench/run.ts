import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { feed } from './feed.ts';
import { firstSight } from './first-sight.ts';
import { growth } from './growth.ts';
import { memory, soak } from './memory.ts';
import { migrating } from './migrations.ts';
import { type Chart, svgOf } from './plot.ts';
import { refresh } from './refresh.ts';
import { type Loader, startLoader } from './sides.ts';
import { signIns } from './sign-ins.ts';
import { storms } from './storms.ts';
import { print, type Row } from './table.ts';
import { whoami } from './whoami.ts';
import { workers } from './workers.ts';

/** What each measurement is given. */
export interface Bench {
  loader: Loader;
  rounds: number;
  /** Of each round. */
  seconds: number;
  /** What is being done right now. */
  progress(what: string): void;
  /** A line that stays. */
  say(line: string): void;
  /** A chart for `--plot`. */
  draw(chart: Chart): void;
}

const MEASUREMENTS: Record<string, (bench: Bench) => Promise<Row[]>> = {
  whoami,
  'first-sight': firstSight,
  refresh,
  'sign-ins': signIns,
  storms,
  growth,
  memory,
  workers,
  feed,
};

/** These take ten minutes: only when they are named. */
const ON_DEMAND: Record<string, (bench: Bench) => Promise<Row[]>> = {
  soak,
  migrations: migrating,
};
const ALL = { ...MEASUREMENTS, ...ON_DEMAND };

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    plot: { type: 'string' },
  },
});
const names = values.only ?? Object.keys(MEASUREMENTS);
const unknown = names.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(
    `There is no measurement ${unknown.join(', ')}. There are: ${Object.keys(ALL).join(', ')}.`,
  );
  process.exit(64);
}

const bar = new SingleBar({
  format: '{bar} {what}',
  stream: process.stderr,
  clearOnComplete: true,
});
bar.start(names.length, 0, { what: '' });
const said: string[] = [];
const charts: Chart[] = [];
const loader = startLoader();
const rows: Row[] = [];
for (const name of names) {
  const bench: Bench = {
    loader,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    progress: (what) => bar.update({ what }),
    say: (line) => said.push(line),
    draw: (chart) => charts.push(chart),
  };
  rows.push(...(await (ALL[name] as (bench: Bench) => Promise<Row[]>)(bench)));
  bar.increment();
}
bar.stop();
await loader.stop();

if (values.json) console.log(JSON.stringify({ rows, said }, null, 2));
else {
  for (const line of said) console.log(line);
  print(rows);
}
if (values.plot !== undefined) writeFileSync(values.plot, svgOf(charts));
process.exitCode = rows.some(({ reached }) => reached === false) ? 1 : 0;
