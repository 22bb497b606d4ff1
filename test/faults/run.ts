import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { startPostgres } from '../bench/postgres.ts';
import type { Scope } from '../server.ts';
import { endedUnderLoad } from './departure.ts';
import { FAULTS } from './faults.ts';

const { values } = parseArgs({
  options: {
    /** How long the database is away (seconds). */
    seconds: { type: 'string', default: '30' },
    /** How often each kind of node is stopped. */
    runs: { type: 'string', default: '10' },
  },
});
const lasts = Number(values.seconds) * 1_000;
const runs = Number(values.runs);

const WAYS = {
  'one process': {},
  'WORKERS=2': { env: { WORKERS: '2' } },
  TLS: { tls: true },
  'TLS, WORKERS=2': { tls: true, env: { WORKERS: '2' } },
} satisfies Record<string, Partial<Parameters<typeof endedUnderLoad>[1]>>;

/** Ends what was started for one measurement. */
async function scoped<T>(measure: (scope: Scope) => Promise<T>): Promise<T> {
  const endings: (() => unknown)[] = [];
  try {
    return await measure({ teardown: (end: () => unknown) => void endings.push(end) });
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

const bar = new SingleBar({
  format: '{bar} {what}',
  stream: process.stderr,
  clearOnComplete: true,
});
const total = Object.keys(FAULTS).length + Object.keys(WAYS).length * runs;
bar.start(total, 0, { what: '' });
let isWell = true;

const postgres = await startPostgres();
let databases = 0;
const newDatabase = () => {
  databases += 1;
  return postgres.create(`fault${databases}`);
};
const faults: Record<string, object> = {};
for (const [name, cause] of Object.entries(FAULTS)) {
  bar.update({ what: name });
  const seen = await scoped((scope) => cause({ scope, newDatabase, lasts }));
  bar.increment();
  if (seen === undefined) {
    faults[name] = { '/readyz says': 'NOT RUN: not possible for this user' };
    continue;
  }
  const { signedOut, revokedAccepted, unforeseen } = seen;
  isWell &&= signedOut + revokedAccepted + unforeseen.length === 0;
  const milliseconds = (time: number | undefined) => (time === undefined ? 'never' : `${time} ms`);
  faults[name] = {
    '/readyz says': seen.words.join(', ') || 'ok',
    after: seen.notReadyAfter === undefined ? '' : milliseconds(seen.notReadyAfter),
    'ready again after': milliseconds(seen.readyAfter),
    'token checks': seen.checks,
    'of them 401': seen.checksRefused,
    refreshes: seen.refreshes,
    503: seen.refused,
    unanswered: seen.unanswered,
    'signed out': signedOut,
    'revoked, accepted': revokedAccepted,
    unforeseen: unforeseen.length,
  };
  for (const what of unforeseen.slice(0, 3)) console.error(`${name}: ${what}`);
}
await postgres.stop();

const stops: Record<string, object> = {};
for (const [name, way] of Object.entries(WAYS)) {
  const sum = { runs, clients: 0, requests: 0, lost: 0, 'long polls lost': 0 };
  for (let run = 1; run <= runs; run += 1) {
    bar.update({ what: `SIGTERM, ${name}: ${run} of ${runs}` });
    const cwd = mkdtempSync(join(tmpdir(), 'latchkey-stop-'));
    const seen = await scoped((scope) => endedUnderLoad(scope, { cwd, ...way }));
    rmSync(cwd, { recursive: true, force: true });
    const clients = [...seen.behind, ...seen.direct];
    sum.clients += clients.length;
    sum.requests += clients.reduce((all, { answers }) => all + answers, 0);
    sum.lost += clients.flatMap(({ faults }) => faults).length;
    sum['long polls lost'] += seen.longPoll.faults.length;
    isWell &&= seen.ended.code === 0;
    bar.increment();
  }
  isWell &&= sum.lost + sum['long polls lost'] === 0;
  stops[`SIGTERM, ${name}`] = sum;
}
bar.stop();
console.table(faults);
console.table(stops);
process.exitCode = isWell ? 0 : 1;
