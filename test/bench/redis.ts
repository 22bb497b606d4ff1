import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { freePort } from '../free-port.ts';

/** A Redis of the bench's own, in memory alone; undefined where none is installed. */
export async function startRedis(): Promise<{ url: string; stop(): void } | undefined> {
  const port = await freePort();
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const missing = new Promise<true>((resolve) => child.once('error', () => resolve(true)));
  if (await Promise.race([missing, sleep(300)])) return undefined;
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url });
  await client.connect();
  await client.quit();
  return { url, stop: () => child.kill() };
}
