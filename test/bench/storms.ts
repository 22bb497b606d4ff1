import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Counted } from './load.ts';
import type { Chart } from './plot.ts';
import type { Bench } from './run.ts';
import { type Loader, type Side, startLoader, startSide } from './sides.ts';
import { signInOf } from './sign-ins.ts';
import { atMost, type Row } from './table.ts';
import { bearer } from './whoami.ts';

/** Parallel sign-ins, more than the queue of hashes has room for. */
const SIGN_INS = 200;
const REFRESHING = 32;
const IMPORTED = 100_000;

interface Storm {
  name: string;
  /** Works until the promise of `over` ends. */
  rage(over: Promise<void>): Promise<Counted | undefined>;
}

/** `whoami` while nothing else happens, and during storms: clients that each ask 20 times a second. */
export async function storms({ loader, seconds, progress, say, draw }: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const url = `file:${join(folder, 'bench.db')}`;
  const server = await startSide('latchkey.ts', {
    PEOPLE: String(SIGN_INS),
    SESSIONS: String(REFRESHING),
    HASH_CONCURRENCY: '2',
    DATABASE_URL: url,
  });
  const other = startLoader();
  const storms: Storm[] = [
    { name: 'idle', rage: async () => undefined },
    { name: `${SIGN_INS} parallel sign-ins`, rage: () => signIns(other, server, seconds) },
    { name: `${REFRESHING} clients that refresh`, rage: () => refreshes(other, server, seconds) },
    { name: `an import of ${IMPORTED} users`, rage: (over) => imports(folder, url, over) },
  ];
  const rows: Row[] = [];
  const bars: Chart['bars'] = [];
  try {
    for (const { name, rage } of storms) {
      progress(`whoami, ${name}`);
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const raging = rage(over);
      await server.longestDelay();
      const counted = await loader.load({
        port: server.said.port,
        connections: 16,
        milliseconds: seconds * 1_000,
        requests: server.said.tokens.slice(0, 100).map((token) => bearer('/v1/whoami', token)),
        pause: 50,
      });
      const delay = await server.longestDelay();
      end();
      bars.push({ label: name, value: counted.p99 });
      const storm = await raging;
      say(
        `whoami, ${name}: p50 ${counted.p50.toFixed(1)} ms, p99 ${counted.p99.toFixed(1)} ms, ${counted.refused + counted.shed} errors of ${counted.answers}; event loop held up for ${delay.toFixed(0)} ms at most${storm ? `; the storm: ${storm.answers - storm.shed} answered, ${storm.shed} shed with Retry-After, ${storm.refused} other errors` : ''}`,
      );
      rows.push(
        {
          ...atMost(`whoami p99, ${name}`, counted.p99, { target: 25, unit: 'ms' }),
          ...(name === 'idle' && { target: '', reached: undefined }),
        },
        atMost(
          '  its errors, and those of the storm',
          counted.refused + counted.shed + (storm?.refused ?? 0),
          {
            target: 0,
            unit: '',
          },
        ),
      );
    }
  } finally {
    await other.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
  draw({
    title: 'whoami in a storm: 99 of 100 answers come within',
    unit: 'ms',
    bars,
  });
  return rows;
}

const signIns = (loader: Loader, { said }: Side, seconds: number): Promise<Counted> =>
  loader.load({
    port: said.port,
    connections: SIGN_INS,
    milliseconds: seconds * 1_000,
    requests: said.emails.map(signInOf),
  });

const refreshes = (loader: Loader, { said }: Side, seconds: number): Promise<Counted> =>
  loader.load({
    port: said.port,
    connections: REFRESHING,
    milliseconds: seconds * 1_000,
    requests: [],
    refreshTokens: said.refreshTokens,
  });

/** `npm run users -- import`, in a process of its own as an operator runs it. Ended when the measurement is. */
async function imports(folder: string, url: string, over: Promise<void>): Promise<undefined> {
  const file = join(folder, 'users.jsonl');
  const stream = createWriteStream(file);
  for (let index = 0; index < IMPORTED; index += 1)
    stream.write(`{"email":"imported${index}@example.com"}\n`);
  await new Promise((resolve) => stream.end(resolve));
  const command = fileURLToPath(new URL('../../src/commands/latchkey.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [command, 'users', 'import', file], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: 'ignore',
  });
  await over;
  child.kill();
  if (child.exitCode === null) await once(child, 'exit');
}
