import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { openDatabase } from '../../../src/parts/storage/database.ts';
import { databaseFault } from '../../../src/start-faults/database-fault.ts';
import { folder, opened, type Postgres, postgres } from '../../databases.ts';
import { selfSigned } from '../../self-signed.ts';

/** Lets the server offer TLS, with a certificate for `localhost`; returns its file. */
async function offerTls(server: Postgres, url: string, end?: string): Promise<string> {
  const { cert, key } = selfSigned(end);
  const { uid, gid } = statSync(server.socket);
  const [certFile, keyFile] = [join(server.socket, 'tls.crt'), join(server.socket, 'tls.key')];
  for (const [file, content] of [
    [certFile, cert],
    [keyFile, key],
  ] as const) {
    writeFileSync(file, content, { mode: 0o600 });
    chownSync(file, uid, gid);
  }
  const admin = await server.connect(url);
  await admin.query(`alter system set ssl_cert_file = '${certFile}'`);
  await admin.query(`alter system set ssl_key_file = '${keyFile}'`);
  await admin.query('alter system set ssl = on');
  await admin.query('select pg_reload_conf()');
  while ((await admin.query('show ssl')).rows[0].ssl !== 'on');
  await admin.end();
  return certFile;
}

async function offerNoTls(server: Postgres, url: string): Promise<void> {
  const admin = await server.connect(url);
  for (const name of ['ssl', 'ssl_cert_file', 'ssl_key_file'])
    await admin.query(`alter system reset ${name}`);
  await admin.query('select pg_reload_conf()');
  await admin.end();
}

const server = await postgres(t);
const url = await server.create();

const at = (host: string, parameters: string) => {
  const other = new URL(url);
  other.hostname = host;
  other.search = parameters;
  return other.href;
};

/** Whether the connection is encrypted; or what the operator is told about it. */
async function outcome(t: Test, address: string, authority?: string): Promise<boolean | string> {
  try {
    const db = opened(t, address, { pool: 1, authority });
    const { rows } = await sql<{
      ssl: boolean;
    }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(db);
    return rows[0]?.ssl ?? 'no answer';
  } catch (error) {
    return databaseFault(address)(error)?.message ?? String(error);
  }
}

t.test('without TLS on the server', async (t) => {
  t.equal(await outcome(t, at('127.0.0.1', 'sslmode=disable')), false);
  t.match(await outcome(t, at('127.0.0.1', 'sslmode=require')), /offers no TLS/);
});

t.test('each sslmode checks what it says', async (t) => {
  const authority = await offerTls(server, url);
  t.teardown(() => offerNoTls(server, url));
  const verifyFull = 'sslmode=verify-full';
  t.equal(await outcome(t, at('127.0.0.1', '')), false, 'none: not encrypted');
  t.equal(await outcome(t, at('127.0.0.1', 'sslmode=disable')), false);
  t.equal(await outcome(t, at('127.0.0.1', 'sslmode=no-verify')), true);
  t.equal(await outcome(t, at('127.0.0.1', 'sslmode=verify-ca'), authority), true);
  for (const mode of ['require', 'verify-full']) {
    t.equal(await outcome(t, at('localhost', `sslmode=${mode}`), authority), true, mode);
    t.match(
      await outcome(t, at('127.0.0.1', `sslmode=${mode}`), authority),
      /certificate for another host name/,
      mode,
    );
    t.match(await outcome(t, at('localhost', `sslmode=${mode}`)), /unknown authority/, mode);
  }
  const other = join(folder(t), 'other.pem');
  writeFileSync(other, selfSigned().cert);
  t.match(await outcome(t, at('localhost', 'sslmode=verify-ca'), other), /unknown authority/);
  t.match(await outcome(t, at('localhost', verifyFull), 'package.json'), /PEM file in DATABASE_CA/);
  t.match(await outcome(t, at('localhost', verifyFull), 'no-such.pem'), /PEM file in DATABASE_CA/);

  const key = join(folder(t), 'key.pem');
  const own = selfSigned();
  writeFileSync(other, own.cert);
  writeFileSync(key, own.key);
  const files = `&sslcert=${other}&sslkey=${key}`;
  t.equal(await outcome(t, at('localhost', verifyFull + files), authority), true);
});

t.test('a certificate that has expired is told', async (t) => {
  const authority = await offerTls(server, url, '20260102000000Z');
  t.teardown(() => offerNoTls(server, url));
  t.match(
    await outcome(t, at('localhost', 'sslmode=verify-full'), authority),
    /certificate that is not valid now/,
  );
});

t.test('a connection with TLS is as silent as one without before it is dropped', async (t) => {
  const authority = await offerTls(server, url);
  t.teardown(() => offerNoTls(server, url));
  const db = opened(t, at('localhost', 'sslmode=verify-full'), {
    authority,
    pool: 1,
    timeout: 400,
  });
  const pids = new Set<number>();
  for (let n = 0; n < 12; n += 1) {
    const { rows } = await sql<{
      pid: number;
    }>`select pg_backend_pid() as pid, pg_sleep(0.2)`.execute(db);
    pids.add(rows[0]?.pid ?? 0);
  }
  t.equal(pids.size, 1);
});

t.test('an open line to another machine is warned of', async (t) => {
  const said: string[] = [];
  const warn = (message: string) => said.push(message);
  for (const host of ['127.0.0.1', 'db.example.com'])
    await openDatabase({ url: at(host, ''), pool: 1, warn }).destroy();
  t.match(said, [/^DATABASE_URL: the connection is not encrypted/]);
  t.equal(said.length, 1);
});
