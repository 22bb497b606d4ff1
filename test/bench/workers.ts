/**
 * `WORKERS=2` beside `WORKERS=1` for `GET /v1/whoami`, each a real node with production settings, loaded in turn.
 *
 * On a machine with two processors the load needs one of them itself, so two workers cannot show in requests per second
 * what they could serve. So the figure with a target is the answers for each second of processor time of the busiest
 * process: that process limits the node when it has a processor to itself. It counts all threads, the kernel's work and
 * the primary process, and a bad balance between the workers makes it worse. The requests per second are told too.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KeyRing } from '../../src/parts/keys/key-ring.ts';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { Revocations } from '../../src/parts/revocations/revocations.ts';
import { AccessTokens } from '../../src/parts/tokens/access-tokens.ts';
import { buildJws } from '../../src/parts/tokens/jws.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import { freePort } from '../free-port.ts';
import { median, spread } from './measure.ts';
import type { Bench } from './run.ts';
import { atLeast, type Row } from './table.ts';

const CONNECTIONS = 32;
/** Microseconds of one tick in `/proc/PID/stat`. */
const TICK = 10_000;

const ISSUER = 'https://auth.example.com';

/** Processor time used so far by a process and all its threads (µs). */
function usedBy(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** A process and those that it started. */
const family = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number),
];

interface Node {
  port: number;
  child: ChildProcess;
}

async function startNode(workers: number, keys: string): Promise<Node> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('../../src/main.ts'))], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      ISSUER,
      APP_URL: 'https://app.example.com',
      MAIL_URL: 'smtp://127.0.0.1:25',
      MAIL_FROM: 'auth@example.com',
      SIGNING_KEYS: keys,
      DATABASE_URL: `file:${join(mkdtempSync(join(tmpdir(), 'latchkey-bench-')), 'bench.db')}`,
      RATE_LIMIT: '9999999/1m',
      AUTH_RATE_LIMIT: '9999999/1m',
      PORT: `${port}`,
      METRICS_PORT: `${metricsPort}`,
      WORKERS: `${workers}`,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const isReady = async () => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => undefined);
    const text = (await answer?.text()) ?? '';
    return workers === 1 ? text !== '' : text.includes(`latchkey_workers ${workers}\n`);
  };
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`WORKERS=${workers} did not start`);
    await sleep(100);
  }
  return { port, child };
}

export async function workers({ loader, rounds, seconds, progress, say }: Bench): Promise<Row[]> {
  const keys = JSON.stringify({ keys: [newSigningKey('ES256', 0), newMasterSecret(0)] });
  const names = { issuer: ISSUER, audience: ISSUER };
  const accessTokens = new AccessTokens({
    ...names,
    keys: await KeyRing.open(readKeySet(keys), Date.now(), { ...names, build: buildJws }),
    revocations: new Revocations(() => performance.now()),
    clock: Date.now,
  });
  const id = '0192f3a0-0000-7000-8000-000000000001';
  const token = accessTokens.issue(
    newPerson({ id, email: 'ada@example.com', name: null, passwordHash: null }, Date.now()),
    { id: 'session', amr: ['pwd'], created_at: Date.now() },
  );
  const head = ['GET /v1/whoami HTTP/1.1', 'Host: auth.example.com', 'X-Forwarded-Proto: https'];
  const requests = [[...head, `Authorization: Bearer ${token}`, '', ''].join('\r\n')];

  const nodes = [await startNode(1, keys), await startNode(2, keys)];
  const rates: number[][] = [[], []];
  const capacities: number[][] = [[], []];
  const totals: number[][] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { port, child }] of nodes.entries()) {
      progress(
        `WORKERS=${index + 1}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`,
      );
      const pids = family(child.pid as number);
      const before = pids.map(usedBy);
      const load = { port, connections: CONNECTIONS, milliseconds: seconds * 1_000, requests };
      const { answers, refused, seconds: took } = await loader.load(load);
      if (refused > 0) throw new Error(`WORKERS=${index + 1}: ${refused} answers were not 2xx`);
      if (round === 0) continue;
      const used = pids.map((pid, at) => usedBy(pid) - (before[at] as number));
      rates[index]?.push(answers / took);
      capacities[index]?.push((answers / Math.max(...used)) * 1e6);
      totals[index]?.push(used.reduce((sum, time) => sum + time, 0) / answers);
    }
  }
  for (const { child } of nodes) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  for (const index of [0, 1]) {
    const [rate, total] = [rates[index] as number[], totals[index] as number[]];
    say(
      `WORKERS=${index + 1}: ${Math.round(median(rate))} a second, ${median(total).toFixed(1)} µs of processor time each in all processes`,
    );
  }
  const ratiosOf = ([one, two]: number[][]) =>
    (two as number[]).map((figure, round) => figure / (one?.[round] as number));
  const [ratios, byClock] = [ratiosOf(capacities), ratiosOf(rates)];
  return [
    atLeast(
      '2 workers ÷ 1, for each second of the busiest process',
      median(ratios),
      1.6,
      spread(ratios),
    ),
    {
      what: '2 workers ÷ 1 by the clock, sharing two processors with the load',
      target: '',
      figure: median(byClock).toFixed(2),
      spread: `± ${Math.round(spread(byClock) * 100)} %`,
    },
  ];
}
