import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { freePort } from './free-port.ts';

/** Debian's package `redis-server`. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

const isUp = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => resolve(socket.destroy() !== null));
  });

/** A real Redis, in memory alone. `port`: to start one where another was. */
export async function redis(t: Test, options: string[] = [], port?: number) {
  const at = port ?? (await freePort());
  const listen = options.includes('--tls-port') ? [] : ['--port', String(at)];
  const ours = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...listen];
  const child: ChildProcess = spawn(
    'redis-server',
    [...ours, ...options.map((word) => word.replace('PORT', String(at)))],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  while (!(await isUp(at))) await sleep(20);
  return {
    port: at,
    url: `redis://127.0.0.1:${at}`,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: () => child.kill('SIGSTOP'),
    goOn: () => child.kill('SIGCONT'),
    /** What `redis-cli` says. */
    ask: (...words: string[]) =>
      String(spawnSync('redis-cli', ['-p', String(at), ...words]).stdout).trim(),
  };
}
