import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { freePort } from '../free-port.ts';

/** The real process, started as in the image. */
export interface Production {
  port: number;
  /** From the start of the process to its first answer (ms). */
  startedIn: number;
  /** Resident memory (MB). */
  resident(): number;
  /** The most resident memory so far (MB). */
  peak(): number;
  stop(): Promise<void>;
}

/** What the image sets for Node and for the allocator. */
function imageEnvironment(): Record<string, string> {
  const [, lines = ''] =
    /^ENV (NODE_OPTIONS=.*(?:\\\n.*)*)/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  return Object.fromEntries(
    [...lines.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [
      name,
      String(value).replaceAll('"', ''),
    ]),
  );
}

const status = (pid: number, field: string): number =>
  Number(
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    )?.[1],
  ) / 1_024;

const exited = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

/** Starts `src/main.ts` with production settings and the environment of the image. Its files are in `folder`. */
export async function startProduction(folder: string): Promise<Production> {
  const port = await freePort();
  const keys = [newSigningKey('ES256', 0), newMasterSecret(0)];
  const began = performance.now();
  const child = spawn(process.execPath, ['src/main.ts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      ...imageEnvironment(),
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      NODE_ENV: 'production',
      PORT: String(port),
      METRICS_PORT: String(await freePort()),
      ISSUER: 'https://auth.example.com',
      APP_URL: 'https://app.example.com',
      TRUST_PROXY: '127.0.0.1',
      MAIL_URL: 'smtp://127.0.0.1:25',
      MAIL_FROM: 'auth@example.com',
      SIGN_UP: 'open',
      ALLOW_OPEN_SIGN_UP: 'true',
      SHUTDOWN_DELAY: '0s',
      SIGNING_KEYS: JSON.stringify({ keys }),
      DATABASE_URL: `file:${join(folder, 'bench.db')}`,
      // Counted like in production; the load comes from one address.
      RATE_LIMIT: '9999999/1m',
      AUTH_RATE_LIMIT: '9999999/1m',
    },
  });
  const pid = child.pid as number;
  process.once('exit', () => child.kill('SIGKILL'));
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/livez`, { headers: { 'x-forwarded-proto': 'https' } }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error('src/main.ts did not start');
    await sleep(5);
  }
  return {
    port,
    startedIn: performance.now() - began,
    resident: () => status(pid, 'VmRSS'),
    peak: () => status(pid, 'VmHWM'),
    stop: async () => {
      const gone = exited(child);
      child.kill('SIGTERM');
      await gone;
    },
  };
}
