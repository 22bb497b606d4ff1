import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { svgOf } from '../bench/plot.ts';
import type { Issuer } from './issuer.ts';
import { issuerOf, POLICIES } from './policies.ts';
import { charts, isClean, type Outcome, table } from './report.ts';
import { simulate } from './simulation.ts';
import { latchkeyProcesses } from './two-nodes.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '300' },
    refreshes: { type: 'string', default: '100000' },
    overtaking: { type: 'boolean', default: false },
    plot: { type: 'string' },
  },
});
const [seed, clients, refreshes] = [values.seed, values.clients, values.refreshes].map(Number) as [
  number,
  number,
  number,
];
if (![seed, clients, refreshes].every((count) => Number.isSafeInteger(count) && count > 0)) {
  console.error('--seed, --clients and --refreshes take a whole number above 0.');
  process.exit(64);
}

type Open = (clock: () => number) => Issuer | Promise<Issuer>;
const issuers: { name: string; open: Open }[] = [
  { name: 'Latchkey', open: latchkeyProcesses },
  ...POLICIES.map((policy) => ({
    name: policy.name,
    open: (clock: () => number) => issuerOf(policy, clock),
  })),
];

const bar = new SingleBar({
  format: '{bar} {value} of {total} refreshes, {eta_formatted} left: {name}',
  stream: process.stderr,
  clearOnComplete: true,
});
const outcomes: Outcome[] = [];
for (const { name, open } of issuers) {
  bar.start(refreshes, 0, { name });
  const options = { seed, clients, refreshes, isOvertaking: values.overtaking };
  const figures = await simulate(open, { ...options, progress: (done) => bar.update(done) });
  outcomes.push({ name, ...figures });
  bar.stop();
}

const [own] = outcomes as [Outcome];
console.log(`seed ${seed}: ${clients} clients, ${refreshes} refreshes for each policy`);
console.table(table(outcomes));
if (own.lostSignIns > 0)
  console.log(`Sign-ins lost in failovers, and made again: ${own.lostSignIns}`);
if (own.trace.length > 0)
  console.log(`The first false sign-out of Latchkey:\n${own.trace.join('\n')}`);
if (values.plot !== undefined) writeFileSync(values.plot, svgOf(charts(outcomes)));
process.exitCode = isClean(own) ? 0 : 1;
