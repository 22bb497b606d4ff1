import { type ChildProcess, fork, type Serializable, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Counted, Load } from './load.ts';

/** The server on one processor, the load on the other, where there are two and the system can pin. */
const canPin = spawnSync('taskset', ['-p', '1', String(process.pid)]).status !== null;

function start(file: string, processor: number | undefined, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(fileURLToPath(import.meta.resolve(file)), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  if (canPin && processor !== undefined)
    spawnSync('taskset', ['-a', '-p', '-c', String(processor), String(child.pid)]);
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
    emails: string[];
    claims: { iss: string; aud: string };
    publicKey: string;
  };
  /** Processor time used so far (µs), of all its threads. */
  processorTime(): Promise<number>;
  /** The longest that its event loop was held up since the last call (ms). The first call starts the measurement. */
  longestDelay(): Promise<number>;
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
    longestDelay: async () => {
      child.send('delay');
      const [{ longest }] = await once(child, 'message');
      return longest;
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

/** A process that does what it is told, and answers each message with one. */
export interface Task<Asked, Answer> {
  ask(what: Asked): Promise<Answer>;
  stop(): Promise<void>;
}

/** `name`: its file in `sides/`. Its first message says that it is ready. `processor`: where it stays, if anywhere. */
export async function startTask<Asked extends Serializable, Answer>(
  name: string,
  env: NodeJS.ProcessEnv,
  processor?: number,
): Promise<Task<Asked, Answer>> {
  const child = start(`./sides/${name}`, processor, env);
  await firstMessage(child, name);
  return {
    ask: async (what) => {
      child.send(what);
      const [answer] = await once(child, 'message');
      return answer;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
