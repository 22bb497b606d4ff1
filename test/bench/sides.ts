import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Counted, Load } from './load.ts';

/** The server on one processor, the load on the other, where there are two and the system can pin. */
const canPin = spawnSync('taskset', ['-p', '1', String(process.pid)]).status !== null;

function start(file: string, processor: number, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(fileURLToPath(import.meta.resolve(file)), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', String(processor), String(child.pid)]);
  return child;
}

const firstMessage = (child: ChildProcess, name: string) =>
  Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the side ${name} did not start`))),
  ]);

export interface Side {
  name: string;
  /** What it said when it listened. */
  said: {
    port: number;
    tokens: string[];
    refreshTokens: string[];
    claims: { iss: string; aud: string };
    publicKey: string;
  };
  /** Processor time used so far (µs), of all its threads. */
  processorTime(): Promise<number>;
  /** Its process, for `/proc`. */
  pid: number;
  stop(): Promise<void>;
}

/** `name`: its file in `sides/`. */
export async function startSide(name: string, env: NodeJS.ProcessEnv = {}): Promise<Side> {
  const child = start(`./sides/${name}`, 0, { NODE_ENV: 'production', ...env });
  const [said] = await firstMessage(child, name);
  return {
    name,
    said,
    pid: child.pid as number,
    processorTime: async () => {
      child.send('?');
      const [{ user, system }] = await once(child, 'message');
      return user + system;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export interface Loader {
  load(what: Load): Promise<Counted>;
  stop(): Promise<void>;
}

export function startLoader(): Loader {
  const child = start('./load.ts', 1, {});
  return {
    load: async (what) => {
      child.send(what);
      const [counted] = await once(child, 'message');
      return counted;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A database without a server around it. */
export interface RawSide {
  /** How many rows it reads and writes back durably in a second, one after another. */
  commits(milliseconds: number): Promise<number>;
  stop(): Promise<void>;
}

/** `name`: its file in `sides/`. */
export async function startRaw(name: string, env: NodeJS.ProcessEnv): Promise<RawSide> {
  const child = start(`./sides/${name}`, 0, env);
  await firstMessage(child, name);
  return {
    commits: async (milliseconds) => {
      child.send(milliseconds);
      const [rate] = await once(child, 'message');
      return rate;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
