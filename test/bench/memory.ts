import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './measure.ts';
import { MixedLoad } from './mixed.ts';
import { type Production, startProduction } from './production.ts';
import type { Bench } from './run.ts';
import { atMost, type Row } from './table.ts';

const REQUESTS = 100_000;
/** Until the memory of the work before is given back (ms). */
const SETTLING = 10_000;
const MINUTE = 60_000;
const SOAK_MINUTES = 10;
/** What the memory may grow by in an hour of load, as V8's own estimates still move (MB). */
const FLAT = 20;

/** Starts the server `times`, each time after the last has ended. The first fills Node's compile cache, as the image has it. */
async function startOften(folder: string, times: number) {
  const filling = await startProduction(folder);
  const load = new MixedLoad(filling.port);
  await load.run((sent) => sent > 0);
  load.stop();
  await filling.stop();
  const starts: number[] = [];
  let server: Production;
  for (;;) {
    server = await startProduction(folder);
    starts.push(server.startedIn);
    if (starts.length >= times) return { server, starts };
    await server.stop();
  }
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  return work(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

/** The real process: how fast it starts, and its resident memory before and after work. */
export const memory = ({ rounds, progress, say }: Bench): Promise<Row[]> =>
  withFolder(async (folder) => {
    progress(`${rounds} starts`);
    const { server, starts } = await startOften(folder, rounds);
    await sleep(SETTLING);
    const atRest = server.resident();
    const load = new MixedLoad(server.port);
    await load.run((sent) => {
      if (sent % 1_000 === 0) progress(`${sent} of ${REQUESTS} mixed requests`);
      return sent >= REQUESTS;
    });
    load.stop();
    await sleep(SETTLING);
    const after = server.resident();
    say(`${REQUESTS} mixed requests: ${Math.round(server.peak())} MB at most`);
    await server.stop();
    return [
      atMost('from start to first answer', median(starts), { target: 1_000, unit: 'ms' }),
      atMost('memory at rest', atRest, { target: 120, unit: 'MB' }),
      atMost('memory after 100,000 mixed requests', after, { target: 200, unit: 'MB' }),
    ];
  });

/** Mixed requests for ten minutes. The memory of the last three is compared with that of the three before the middle. */
export const soak = ({ progress, say }: Bench): Promise<Row[]> =>
  withFolder(async (folder) => {
    const { server } = await startOften(folder, 1);
    const load = new MixedLoad(server.port);
    const samples: number[] = [];
    for (let minute = 1; minute <= SOAK_MINUTES; minute += 1) {
      progress(`soak: minute ${minute} of ${SOAK_MINUTES}`);
      const until = performance.now() + MINUTE;
      await load.run(() => performance.now() > until);
      samples.push(server.resident());
    }
    load.stop();
    await server.stop();
    say(`soak: ${samples.map((sample) => Math.round(sample)).join(', ')} MB after each minute`);
    const middle = SOAK_MINUTES / 2;
    const growth = median(samples.slice(-3)) - median(samples.slice(middle - 3, middle));
    const hourly = (growth / middle) * 60;
    return [
      atMost('memory that an hour of mixed requests adds', Math.max(hourly, 0), {
        target: FLAT,
        unit: 'MB',
      }),
    ];
  });
