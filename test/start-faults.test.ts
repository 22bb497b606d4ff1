import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { databaseFault } from '../src/start-faults/database-fault.ts';
import { listenFault } from '../src/start-faults.ts';
import { folder, postgres } from './databases.ts';
import { freePort } from './free-port.ts';
import { launch, serve } from './server.ts';

const SECRET = 'CANARY77aa31';
const ports = { PORT: '0', METRICS_PORT: '0' };

/** Starts the service, and expects one line and this exit code. */
async function refuses(t: Test, { env, code, says, cwd = folder(t) }: Refusal): Promise<string[]> {
  const ended = await launch(t, { cwd, env: { ...ports, ...env }, isMeasured: true }).ended;
  t.equal(ended.code, code, JSON.stringify(env));
  t.match(ended.stderr, says);
  t.match(ended.stderr, /^[^\n]+\n$/, 'one line');
  t.notMatch(ended.stderr + ended.stdout.join(), new RegExp(`${SECRET}|node:|\\.ts`));
  return ended.stdout;
}

interface Refusal {
  env: Record<string, string>;
  code: number;
  says: RegExp;
  cwd?: string;
}

/** A port that is in use. */
async function takenPort(t: Test): Promise<string> {
  const rival = createServer().listen(0, '127.0.0.1');
  await once(rival, 'listening');
  t.teardown(() => rival.close());
  const address = rival.address();
  return String(typeof address === 'object' ? address?.port : 0);
}

t.test('a port in use is reported, with what to do', async (t) => {
  const port = await takenPort(t);
  const says = new RegExp(
    `^Port ${port} of 127\\.0\\.0\\.1 is in use\\. .* choose another PORT\\.`,
  );
  await refuses(t, { env: { PORT: port }, code: 78, says });
  const HOST = '203.0.113.9';
  await refuses(t, { env: { HOST }, code: 78, says: /^203\.0\.113\.9 is not an address .* HOST/ });
});

t.test('a second instance gets a free port for its metrics in development', async (t) => {
  const METRICS_PORT = await takenPort(t);
  const server = await serve(t, { cwd: folder(t), env: { METRICS_PORT }, isMeasured: true });
  await server.line(new RegExp(`metrics use a free port instead: Port ${METRICS_PORT} `));
  const [, url = ''] = /metrics {3}(\S+)"/.exec(await server.line(/metrics {3}/)) ?? [];
  t.equal((await fetch(url)).status, 200);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('in production a metrics port in use is reported', async (t) => {
  const METRICS_PORT = await takenPort(t);
  const cwd = folder(t);
  const first = await serve(t, { cwd });
  first.child.kill('SIGTERM');
  await first.ended;
  const env = {
    NODE_ENV: 'production',
    ISSUER: 'https://id.example.com',
    MAIL_URL: 'smtp://127.0.0.1:1',
    METRICS_PORT,
  };
  const says = /is in use\. .* choose another METRICS_PORT\./;
  const stdout = await refuses(t, { env, code: 78, says, cwd });
  t.same(stdout, [], 'the service did not listen before');
});

t.test('an invalid SQLite file or mail folder is reported', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'letter.txt'), 'Dear Ada, this is no database. '.repeat(100));
  mkdirSync(join(cwd, 'directory'));
  await Promise.all(
    (
      [
        [{ DATABASE_URL: 'file:letter.txt' }, /^The database file:letter.txt is not a SQLite/],
        [{ DATABASE_URL: 'file:directory' }, /cannot be opened\. .* \(EISDIR\)$/],
        [{ DATABASE_URL: 'file:letter.txt/x.db' }, /cannot be opened\. .* \((ENOTDIR|EEXIST)\)$/],
        [{ MAIL_URL: 'file:letter.txt' }, /^Mail cannot be written .* letter\.txt\. .* MAIL_URL/],
        [{ MAIL_URL: 'file:letter.txt/mail' }, /^Mail cannot be written .* \(ENOTDIR\)$/],
      ] as const
    ).map(([env, says]) => refuses(t, { env, code: 78, says: new RegExp(says.source, 'm'), cwd })),
  );
});

t.test('a database of a newer version is reported', async (t) => {
  const cwd = folder(t);
  const server = await serve(t, { cwd });
  server.child.kill('SIGTERM');
  await server.ended;
  const database = new SQLite(join(cwd, 'data', 'latchkey.db'));
  database.exec("insert into kysely_migration values ('999_later', '2030-01-01')");
  database.close();
  await refuses(t, { env: {}, code: 78, says: /by a newer version of Latchkey/, cwd });
});

t.test('with PostgreSQL', async (t) => {
  const server = await postgres(t);
  const url = await server.create();
  const changed = (change: (url: URL) => void) => {
    const other = new URL(url);
    change(other);
    return { DATABASE_URL: other.href };
  };

  t.test('faults that only the operator can fix exit at once with 78', async (t) => {
    const client = await server.connect(url);
    await client.query(`create role guest login password '${SECRET}'`);
    await client.end();
    const asGuest = changed((other) => {
      other.username = 'guest';
      other.password = SECRET;
    });
    const cases: [Record<string, string>, RegExp][] = [
      [changed((other) => (other.password = SECRET)), /refuses the user of .*28P01/],
      [changed((other) => (other.password = '')), /refuses the user of /],
      [changed((other) => (other.pathname = '/nowhere')), /\/nowhere does not exist\. .*3D000/],
      [
        asGuest,
        /does not allow the user of DATABASE_URL to create tables\. .*GRANT CREATE .*42501/,
      ],
      [changed((other) => other.searchParams.set('sslmode', 'verify-full')), /offers no TLS\. /],
    ];
    await Promise.all(cases.map(([env, says]) => refuses(t, { env, code: 78, says })));
  });

  t.test('a URL may name the socket of the server', async (t) => {
    const { port, pathname } = new URL(url);
    const { socket } = server;
    for (const DATABASE_URL of [
      `postgres://latchkey:latchkey@${pathname}?host=${socket}&port=${port}`,
      `postgres://latchkey:latchkey@${encodeURIComponent(socket)}:${port}${pathname}`,
    ]) {
      const node = await serve(t, { cwd: folder(t), env: { DATABASE_URL } });
      t.match(await node.line(/database {2}postgres:\/\//), new RegExp(`${pathname}"`));
      t.equal((await fetch(`${node.url}/readyz`)).status, 200);
      t.notMatch(node.stdout.join(), 'latchkey:latchkey');
      node.child.kill('SIGTERM');
      t.match(await node.ended, { code: 0, stderr: '' });
    }
  });

  t.test('it waits for a database that starts later', async (t) => {
    await server.stop();
    const node = launch(t, {
      cwd: folder(t),
      env: { ...ports, DATABASE_URL: url },
      isMeasured: true,
    });
    const { host, pathname } = new URL(url);
    await node.line(
      new RegExp(`waiting: The database postgres://${host}${pathname} does not answer`),
    );
    await server.start();
    await node.line(/Latchkey listens on/);
    t.equal(node.stdout.filter((line) => line.includes('waiting: ')).length, 1, 'logged once');
    node.child.kill('SIGTERM');
    t.match(await node.ended, { code: 0, stderr: '' });
  });
});

t.test('a database that does not start in time ends the process with 69', async (t) => {
  const port = await freePort();
  const DATABASE_URL = `postgres://user:${SECRET}@localhost:${port}/name`;
  const says = new RegExp(`^The database postgres://localhost:${port}/name does not answer\\.`);
  await refuses(t, { env: { DATABASE_URL }, code: 69, says });
});

t.test('a signal ends the wait for a database', async (t) => {
  const DATABASE_URL = 'postgres://user@127.0.0.1:1/name';
  const node = launch(t, { cwd: folder(t), env: { ...ports, DATABASE_URL }, isMeasured: true });
  await node.line(/waiting: /);
  node.child.kill('SIGTERM');
  t.match(await node.ended, { code: 0, signal: null, stderr: '' });
});

t.test('faults that this test cannot cause are explained too', async (t) => {
  const fault = (code: string, message = '') => Object.assign(new Error(message), { code });
  const file = databaseFault('file:a.db');
  t.match(file(fault('SQLITE_FULL')), { exitCode: 69, message: /free space/ });
  t.match(file(fault('SQLITE_BUSY_SNAPSHOT')), { exitCode: 69, message: /another process/ });
  t.match(file(fault('SQLITE_READONLY')), { exitCode: 78, message: /read and write/ });
  t.match(file(fault('EACCES')), { exitCode: 78, message: /a\.db cannot be opened/ });
  const lostRaces = new Error('user changed concurrently 30 times in a row');
  t.match(file(lostRaces), { exitCode: 69, message: /cannot complete the operation now/ });
  t.equal(file(new TypeError('a bug')), undefined);
  const server = databaseFault(`postgres://user:${SECRET}@db.example.com/name?sslmode=x`);
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', '57P03', '53300', '08006'])
    t.match(server(fault(code)), { exitCode: 69, isPassing: true }, code);
  for (const words of ['timeout expired', 'Connection terminated unexpectedly'])
    t.match(server(new Error(words)), { exitCode: 69, isPassing: true }, words);
  t.match(server(fault('CERT_HAS_EXPIRED')), { exitCode: 78, message: /certificate/ });
  for (const [code, words, says] of [
    [
      '28000',
      'no pg_hba.conf entry for host "::1", user "a", no encryption',
      /sslmode=verify-full/,
    ],
    ['53300', 'sorry, too many clients already', /no connection left\. Lower DATABASE_POOL/],
    ['08P01', 'no more connections allowed (max_client_conn)', /no connection left/],
    ['08P01', 'query_wait_timeout', /no connection left/],
    ['08P01', 'SSL required', /accepts only encrypted connections/],
    ['57P03', 'the database system is starting up', /is starting up/],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db', /host name that cannot be found/],
    ['55P03', 'canceling statement due to lock timeout', /long transaction/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', '', /cannot be reached over TLS/],
  ] as const)
    t.match(server(fault(code, words)), { message: says }, `${code} ${words}`);
  t.match(databaseFault('postgres:///name')(fault('25006')), {
    message: /postgres:\/\/localhost:5432\/name is read-only/,
  });
  t.match(server(fault('25006')), { exitCode: 69, message: /primary/ });
  t.match(server(fault('XX000')), { exitCode: 69, message: /PostgreSQL log/ });
  t.match(server(new Error('replace', { cause: fault('57P01') })), {
    message:
      'The database postgres://db.example.com:5432/name does not answer. Start it, or correct DATABASE_URL. (57P01)',
  });
  t.equal(server(new TypeError('a bug')), undefined);
  const low = listenFault({ variable: 'PORT', port: 443, host: '0.0.0.0' });
  t.match(low(fault('ENOTFOUND')), { exitCode: 78, message: /Correct HOST/ });
  t.match(low(fault('EACCES')), { exitCode: 78, message: /PORT above 1023/ });
});

t.test('an unexpected error exits with 70 and a stack trace', async (t) => {
  const preload = 'process.constrainedMemory = () => { throw new Error("unforeseen"); }';
  const ended = await launch(t, { cwd: folder(t), env: ports, preload, isMeasured: true }).ended;
  t.equal(ended.code, 70);
  t.match(ended.stderr, /unforeseen\n +at /);
});
