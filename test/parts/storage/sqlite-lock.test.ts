import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { nodeCommand } from '../../child.ts';
import { folder } from '../../databases.ts';
import { serve } from '../../server.ts';
import { PASSWORD, type Tokens } from '../../test-app.ts';

const holder = (path: string) => `
  import SQLite from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
  const database = new SQLite(${JSON.stringify(path)});
  database.exec('begin immediate');
  console.log('held');
  process.stdin.once('data', () => {
    database.exec('commit');
    process.exit();
  });
`;

/** Another process, which holds the write lock until the test ends that. */
async function hold(t: Test, path: string): Promise<() => Promise<void>> {
  const child = spawn(...nodeCommand(['--input-type=module', '--eval', holder(path)]), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.write('go\n');
    await ended;
  };
}

t.test(
  'while another process holds the write lock, reads go on, and nobody is signed out',
  async (t) => {
    const cwd = folder(t);
    const server = await serve(t, { cwd });
    const people: Tokens[] = [];
    for (const email of ['ada@example.com', 'eve@example.com', 'bob@example.com'])
      people.push(await server.tokens('/v1/register', { email, password: PASSWORD }));
    const { access_token } = people[0] as Tokens;
    const me = () =>
      fetch(`${server.url}/v1/me`, { headers: { authorization: `Bearer ${access_token}` } });
    const refreshAll = () =>
      people.map(({ refresh_token }) => server.post('/v1/refresh', { refresh_token }));

    const letGo = await hold(t, join(cwd, 'data', 'latchkey.db'));
    let isWaiting = true;
    const waiting = Promise.all(refreshAll()).finally(() => {
      isWaiting = false;
    });
    const slowest = { whoami: 0, livez: 0, me: 0 };
    const asked = {
      whoami: () => server.whoami(access_token),
      livez: () => fetch(`${server.url}/livez`),
      me,
    };
    let rounds = 0;
    while (isWaiting) {
      await sleep(50);
      for (const [name, ask] of Object.entries(asked)) {
        const from = performance.now();
        t.equal((await ask()).status, 200, name);
        const took = performance.now() - from;
        slowest[name as keyof typeof slowest] = Math.max(
          slowest[name as keyof typeof slowest],
          took,
        );
      }
      rounds += 1;
    }
    t.ok(rounds > 5, 'the refreshes have waited');
    // Before, it was six seconds for the first two.
    for (const [name, took] of Object.entries(slowest)) t.ok(took < 1_000, `${name}: ${took} ms`);
    for (const answer of await waiting) {
      t.equal(answer.status, 503);
      t.ok(Number(answer.headers.get('retry-after')) > 0);
    }

    const again = refreshAll();
    await sleep(300);
    await letGo();
    for (const answer of await Promise.all(again)) {
      t.equal(answer.status, 200, 'requests that still wait succeed, with the same token');
      const { refresh_token, access_token } = (await answer.json()) as Tokens;
      t.equal((await server.whoami(access_token)).status, 200);
      t.equal((await server.post('/v1/refresh', { refresh_token })).status, 200);
    }
    server.child.kill('SIGTERM');
    t.match(await server.ended, { code: 0, stderr: '' });
  },
);
