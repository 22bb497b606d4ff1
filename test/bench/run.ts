import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { firstSight } from './first-sight.ts';
import { refresh } from './refresh.ts';
import { type Loader, startLoader } from './sides.ts';
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
}

const MEASUREMENTS: Record<string, (bench: Bench) => Promise<Row[]>> = {
  whoami,
  'first-sight': firstSight,
  refresh,
  workers,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const names = values.only ?? Object.keys(MEASUREMENTS);
const unknown = names.filter((name) => !(name in MEASUREMENTS));
if (unknown.length > 0) {
  console.error(
    `There is no measurement ${unknown.join(', ')}. There are: ${Object.keys(MEASUREMENTS).join(', ')}.`,
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
const loader = startLoader();
const rows: Row[] = [];
for (const name of names) {
  const bench: Bench = {
    loader,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    progress: (what) => bar.update({ what }),
    say: (line) => said.push(line),
  };
  rows.push(...(await (MEASUREMENTS[name] as (bench: Bench) => Promise<Row[]>)(bench)));
  bar.increment();
}
bar.stop();
await loader.stop();

if (values.json) console.log(JSON.stringify({ rows, said }, null, 2));
else {
  for (const line of said) console.log(line);
  print(rows);
}
process.exitCode = rows.some(({ reached }) => reached === false) ? 1 : 0;
