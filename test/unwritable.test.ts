import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { folder } from './databases.ts';
import { smallDisk } from './faults/small-disk.ts';
import { serve } from './server.ts';
import { keysFor, PASSWORD, type Tokens } from './test-app.ts';

type Server = Awaited<ReturnType<typeof serve>>;

async function until(what: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 20_000; waited += 50) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

const readiness = async ({ url }: Server) => {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
};
const isReady = async (server: Server) => (await readiness(server)).status === 200;

const credentials = { email: 'ada@example.com', password: PASSWORD };

t.test('a node whose SQLite file is locked is not ready, and becomes ready again', async (t) => {
  const cwd = folder(t);
  const server = await serve(t, { cwd, env: { DATABASE_TIMEOUT: '200ms' }, isMeasured: true });
  const { refresh_token } = await server.tokens('/v1/register', credentials);
  t.ok(await isReady(server));
  const rival = new SQLite(join(cwd, 'data', 'latchkey.db'));
  t.teardown(() => rival.close());
  rival.exec('begin immediate');
  t.ok(await until(async () => !(await isReady(server))));
  t.match(await readiness(server), { body: { database_fault: 'timeout', keys: 'ok' } });
  const refused = await server.post('/v1/refresh', { refresh_token });
  t.equal(refused.status, 503);
  t.ok(refused.headers.has('retry-after'));
  rival.exec('rollback');
  t.ok(await until(() => isReady(server)));
  await server.tokens('/v1/refresh', { refresh_token });
});

t.test('a node with a full disk is not ready, and logs the cause', async (t) => {
  const server = await serve(t, {
    cwd: folder(t),
    // The largest file, in units of 512 bytes. The limit sends a signal, which a full disk would not.
    shell: 'ulimit -f 1024; exec "$@"',
    preload: 'process.on("SIGXFSZ", () => {})',
  });
  const { access_token, refresh_token } = await server.tokens('/v1/register', credentials);
  t.ok(await isReady(server));
  let token = refresh_token;
  t.ok(
    await until(async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          server.post('/v1/login', { ...credentials, email: `u${index}@example.com` }),
        ),
      );
      const answer = await server.post('/v1/refresh', { refresh_token: token });
      if (answer.ok) token = ((await answer.json()) as Tokens).refresh_token;
      return answers.some(({ status }) => status === 503) || answer.status === 503;
    }),
    'the disk is full',
  );
  t.ok(await until(async () => !(await isReady(server))));
  t.match(await readiness(server), { body: { database: 'failing', revocations: 'ok' } });
  t.match(await server.line(/database: takes no writes/), /disk/);
  t.equal((await server.whoami(access_token)).status, 200);
  t.equal(server.child.exitCode, null);
});

t.test('a full disk under SQLite is told apart, and costs nothing that was answered', async (t) => {
  const path = folder(t);
  const disk = smallDisk(t, path);
  if (disk === undefined) {
    console.error('NOT RUN: this user may not mount a small disk');
    t.pass('this user may not mount a small disk: it was not filled');
    return;
  }
  const env = {
    DATABASE_URL: `file:${join(path, 'latchkey.db')}`,
    ISSUER: 'http://localhost:3000',
    SIGNING_KEYS: keysFor('ES256'),
  };
  const server = await serve(t, { cwd: folder(t), env });
  let { access_token, refresh_token } = await server.tokens('/v1/register', credentials);
  disk.fill();
  /** Refreshes until the log has no room: what is answered must last. */
  const isFull = async () => {
    const answer = await server.post('/v1/refresh', { refresh_token });
    if (answer.ok) ({ access_token, refresh_token } = (await answer.json()) as Tokens);
    return answer.status === 503;
  };
  t.ok(await until(isFull), 'the disk is full');
  const says = async () => (await readiness(server)).body['database_fault'] === 'disk_full';
  t.ok(await until(says));
  t.equal((await server.whoami(access_token)).status, 200);
  server.child.kill('SIGKILL');
  await server.ended;
  disk.free();
  const next = await serve(t, { cwd: folder(t), env });
  t.ok(await isReady(next));
  await next.tokens('/v1/refresh', { refresh_token });
});
