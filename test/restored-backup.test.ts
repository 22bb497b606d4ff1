import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { folder } from './databases.ts';
import { serve } from './server.ts';
import { keysFor, PASSWORD, type Tokens } from './test-app.ts';

const CLIENTS = 6;

t.test('a database that has lost its last writes signs nobody out', async (t) => {
  const cwd = folder(t);
  const [live, backup] = [join(cwd, 'live.db'), join(cwd, 'backup.db')];
  const env = {
    ISSUER: 'http://localhost:3000',
    SIGNING_KEYS: keysFor('ES256'),
    DATABASE_URL: `file:${live}`,
  };
  const start = () => serve(t, { cwd, env });
  type Node = Awaited<ReturnType<typeof start>>;
  const stop = async ({ child, ended }: Node, signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    await ended;
  };
  const refreshed = (node: Node, clients: Tokens[]) =>
    Promise.all(clients.map(({ refresh_token }) => node.tokens('/v1/refresh', { refresh_token })));

  const first = await start();
  let clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) =>
      first.tokens('/v1/register', { email: `u${index}@example.com`, password: PASSWORD }),
    ),
  );
  await stop(first, 'SIGTERM');
  copyFileSync(live, backup);

  const second = await start();
  for (let round = 0; round < 3; round += 1) clients = await refreshed(second, clients);
  await stop(second, 'SIGKILL');
  for (const rest of ['', '-wal', '-shm']) rmSync(`${live}${rest}`, { force: true });
  copyFileSync(backup, live);

  const third = await start();
  for (let round = 0; round < 2; round += 1) clients = await refreshed(third, clients);
  for (const { access_token } of clients) t.equal((await third.whoami(access_token)).status, 200);
  // The log comes over a pipe, and may arrive after the answers.
  await stop(third, 'SIGTERM');
  const told = third.stdout.filter((line) => line.includes('"event":"session.row_behind"'));
  t.equal(told.length, CLIENTS, 'the log says it, once for each');
});
