import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { newUserId } from '../src/parts/ids.ts';
import { migrate } from '../src/parts/storage/migrations.ts';
import { Users } from '../src/parts/storage/users.ts';
import { newPerson } from '../src/rules/accounts.ts';
import { deaf, folder, opened, type Postgres, postgres } from './databases.ts';
import { freePort } from './free-port.ts';
import { NOW } from './rules/samples.ts';
import { launch } from './server.ts';

/** Debian has it where only root looks. */
const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));

const isOpen = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return outcome;
};

/** PgBouncer in transaction mode, with two connections to the server for any number of clients. */
async function bouncer(t: Test, url: string, settings: Record<string, string | number> = {}) {
  const cwd = folder(t);
  const target = new URL(url);
  const port = await freePort();
  const name = target.pathname.slice(1);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: join(cwd, 'users'),
    pool_mode: 'transaction',
    default_pool_size: 2,
    ...settings,
  };
  writeFileSync(join(cwd, 'users'), '"latchkey" "latchkey"\n');
  writeFileSync(
    join(cwd, 'pgbouncer.ini'),
    `[databases]\n${name} = host=127.0.0.1 port=${target.port}\n[pgbouncer]\n${Object.entries(all)
      .map(([key, value]) => `${key} = ${value}`)
      .join('\n')}\n`,
  );
  chmodSync(cwd, 0o755);
  // It does not run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(PGBOUNCER as string, [...user, join(cwd, 'pgbouncer.ini')], {
    stdio: 'ignore',
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  while (!(await isOpen(port))) await sleep(20);
  return Object.assign(new URL(url), { port: String(port) }).href;
}

const person = (n: number) =>
  newPerson({ id: newUserId(NOW), email: `u${n}@example.com`, name: null, passwordHash: 'x' }, NOW);

async function withPgBouncer(t: Test, server: Postgres) {
  t.test('nodes share few connections, and each statement may meet another one', async (t) => {
    const url = await bouncer(t, await server.create());
    const [left, right] = [opened(t, url), opened(t, url)];
    await Promise.all([migrate(left), migrate(right)]);
    const nodes = [new Users(left, deaf), new Users(right, deaf)] as const;
    const everybody = Array.from({ length: 20 }, (_, n) => person(n));
    await Promise.all(everybody.map((user, n) => nodes[n % 2 ? 1 : 0].insert(user)));
    const count = (users: Users, id: string) =>
      users.change(id, (user) => ({
        user: { ...user, token_version: user.token_version + 1 },
        result: undefined,
      }));
    await Promise.all(
      everybody.flatMap(({ id }) => nodes.flatMap((users) => [count(users, id), count(users, id)])),
    );
    for (const { id } of everybody)
      t.match(await nodes[0].findById(id), { token_version: 4, row_version: 4 });
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from pg_stat_activity where datname = current_database()`.execute(
      left,
    );
    t.ok((rows[0]?.count ?? 9) <= 2, 'two connections serve them all');
  });

  t.test('limits that are set for the database hold on every connection', async (t) => {
    const direct = await server.create();
    const admin = await server.connect(direct);
    t.teardown(() => admin.end());
    const name = new URL(direct).pathname.slice(1);
    await admin.query(`alter database ${name} set statement_timeout = '300ms'`);
    const client = await server.connect(await bouncer(t, direct));
    t.teardown(() => client.end());
    await t.rejects(client.query('select pg_sleep(10)'), { code: '57014' });
  });

  t.test('what it refuses is told in one line', async (t) => {
    const url = await bouncer(t, await server.create());
    const changed = (change: (url: URL) => void) => {
      const other = new URL(url);
      change(other);
      return other.href;
    };
    const cases: [string, RegExp][] = [
      [changed((other) => (other.password = 'wrong')), /refuses the user of DATABASE_URL/],
      [changed((other) => (other.username = 'nobody')), /refuses the user of DATABASE_URL/],
      [changed((other) => (other.pathname = '/nowhere')), /does not exist/],
      [
        changed((other) => other.searchParams.set('options', '-c search_path=a')),
        /refuses a parameter of DATABASE_URL/,
      ],
      [changed((other) => other.searchParams.set('sslmode', 'require')), /offers no TLS/],
    ];
    await Promise.all(
      cases.map(async ([DATABASE_URL, says]) => {
        const env = { PORT: '0', METRICS_PORT: '0', DATABASE_URL };
        const ended = await launch(t, { cwd: folder(t), env }).ended;
        t.match(ended.stderr, says);
        t.match(ended.stderr, /^[^\n]+\n$/, 'one line');
        t.equal(ended.code, 78);
      }),
    );
  });
}

t.test('behind PgBouncer in transaction mode', async (t) => {
  if (PGBOUNCER === undefined) t.pass('PgBouncer is not installed here: not tried');
  else await withPgBouncer(t, await postgres(t));
});
