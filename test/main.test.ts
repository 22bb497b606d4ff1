import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { newSigningKey } from '../src/parts/keys/new-keys.ts';
import { folder, postgres } from './databases.ts';
import { freePort } from './free-port.ts';
import { launch, serve } from './server.ts';
import { keySet, keysFor, PASSWORD, type Tokens } from './test-app.ts';

/** Made for these tests, for localhost. */
const TLS_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgICWCej1KNsZRPKRz
H/okEB0CTRCGYwjxW1TNvUHAABWhRANCAAQUVR0xSE61YhGucwD51uBlk2PSCUEL
iZkAD0Kb/NW7wFU/u7VigjHvHznTm7POCAtSmr0Vo4KbH/pQJORsIfrW
-----END PRIVATE KEY-----
`;
const TLS_CERT = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUXo8aj5UMxgtDgsCJHkNRdH2TJb8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE5MDkwN1oYDzIxMjYxMDMw
MTkwOTA3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQUVR0xSE61YhGucwD51uBlk2PSCUELiZkAD0Kb/NW7wFU/u7VigjHv
HznTm7POCAtSmr0Vo4KbH/pQJORsIfrWo28wbTAdBgNVHQ4EFgQUOj9dSvk6ikcW
1qX2joP5mLM5f0YwHwYDVR0jBBgwFoAUOj9dSvk6ikcW1qX2joP5mLM5f0YwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAL+iKbnQ37rc5Gcq80Ex0YuF60iJ1sI/fAewyx6x13ydAiEA
yelqAFheHjnzPCJeJYZahDbZwrDCuOlPiyrJq9t17Ys=
-----END CERTIFICATE-----
`;

const keysOf = async (url: string) => {
  const answer = await fetch(`${url}/.well-known/jwks.json`);
  return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
};

/** Repeats until the answer is true. */
async function until(what: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 5_000; waited += 50) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

t.test('every configuration error is reported in one message, and nothing starts', async (t) => {
  const cwd = folder(t);
  const env = {
    PORT: 'http',
    ISSUER: 'secret-of-the-operator',
    SESSION_MAX: '1y',
    HASH_PASSES: '1',
  };
  const { code, stdout, stderr } = await launch(t, { cwd, env, isMeasured: true }).ended;
  t.equal(code, 78);
  t.same(stdout, []);
  t.match(stderr, /^The configuration has 4 mistakes:\n/);
  for (const name of Object.keys(env)) t.match(stderr, new RegExp(`^ {2}${name} `, 'm'));
  t.notMatch(stderr, /secret-of-the-operator|^ +at /m);
  t.throws(() => statSync(join(cwd, 'data')), 'no folder was created');
});

t.test('unusable keys end the process with the same code, and are not shown', async (t) => {
  const secret = Buffer.from('a readable secret, which is no key').toString('base64url');
  const keys = keySet(newSigningKey('ES256', 0), { kty: 'oct', k: secret });
  const env = { SIGNING_KEYS: keys, DATABASE_URL: 'file::memory:' };
  const { code, stdout, stderr } = await launch(t, { cwd: folder(t), env, isMeasured: true }).ended;
  t.equal(code, 78);
  t.same(stdout, []);
  t.equal(stderr, 'SIGNING_KEYS cannot be used: key 1: its secret is text, not 32 random bytes\n');
});

t.test('in an empty folder it creates its keys for the owner only, and serves', async (t) => {
  const cwd = folder(t);
  const server = await serve(t, { cwd });
  const { access_token } = await server.tokens('/v1/register', {
    email: 'ada@example.com',
    password: PASSWORD,
  });
  t.equal((await server.whoami(access_token)).status, 200);
  t.equal(statSync(join(cwd, 'data', 'keys.json')).mode & 0o777, 0o600);
  t.ok(statSync(join(cwd, 'data', 'latchkey.db')).isFile());
  await server.line(new RegExp(`key {7}ES256 ${(await keysOf(server.url))[0]}`));
  const lines = server.stdout.map((line) => JSON.parse(line));
  for (const part of ['/docs', 'file:data/latchkey.db', 'sign-up   open']) {
    t.ok(
      lines.some(({ msg }) => msg.includes(part)),
      part,
    );
  }
  server.child.kill('SIGINT');
  t.match(await server.ended, { code: 0, stderr: '' });
  const log = server.stdout.join('\n');
  t.notMatch(log, new RegExp(`${PASSWORD}|${access_token}|ada@example`));
});

t.test('metrics are on their own port, and not on the public one', async (t) => {
  const port = await freePort();
  const server = await serve(t, { cwd: folder(t), env: { METRICS_PORT: `${port}` } });
  t.equal((await fetch(`${server.url}/livez`)).status, 200);
  const answer = await until(
    async () =>
      (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.ok === true,
  );
  t.equal(answer, true);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  t.match(
    text,
    'latchkey_request_duration_seconds_count{method="GET",route="/livez",status="200"} 1',
  );
  t.equal((await fetch(`${server.url}/metrics`)).status, 404);
  t.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 404);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
  await t.rejects(fetch(`http://127.0.0.1:${port}/metrics`));
});

t.test('on SIGTERM requests in flight are answered, and new connections refused', async (t) => {
  const server = await serve(t, { cwd: folder(t) });
  const body = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const inFlight = httpRequest(`${server.url}/v1/register`, { method: 'POST', headers, agent });
  inFlight.write(body.slice(0, 10));
  await once(inFlight, 'socket');
  t.equal((await fetch(`${server.url}/livez`)).status, 200);
  server.child.kill('SIGTERM');
  await server.line(/SIGTERM: shutting down/);
  const isRefused = () =>
    fetch(server.url, { headers: { connection: 'close' } }).then(
      () => false,
      () => true,
    );
  t.ok(await until(isRefused));
  inFlight.end(body.slice(10));
  const [answer] = await once(inFlight, 'response');
  t.equal(answer.statusCode, 201);
  t.equal(answer.headers.connection, 'close', 'so that clients do not delay the shutdown');
  answer.resume();
  t.match(await server.ended, { code: 0, signal: null, stderr: '' });
});

t.test('a signal that arrives just before the service is ready is not lost', async (t) => {
  // Followed in the same turn as the signals.
  const preload = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { watchFile } = fs;
    fs.watchFile = (...args) => {
      process.kill(process.pid, 'SIGTERM');
      return watchFile(...args);
    };
    syncBuiltinESMExports();`;
  const server = launch(t, { cwd: folder(t), env: { PORT: '0', METRICS_PORT: '0' }, preload });
  t.match(await server.ended, { code: 0, signal: null, stderr: '' });
});

t.test('a changed key file is reloaded, at once on SIGHUP and otherwise soon', async (t) => {
  const cwd = folder(t);
  const path = join(cwd, 'data', 'keys.json');
  const preload = 'process.on("SIGWINCH", () => { throw new Error("unforeseen"); })';
  const server = await serve(t, { cwd, preload, isMeasured: true });
  const { access_token, refresh_token } = await server.tokens('/v1/register', {
    email: 'ada@example.com',
    password: PASSWORD,
  });
  const [old = ''] = await keysOf(server.url);
  const { keys } = JSON.parse(readFileSync(path, 'utf8'));

  t.test('an invalid key set is logged, and the old keys stay', async (t) => {
    writeFileSync(path, '{"keys":');
    server.child.kill('SIGHUP');
    await server.line(/key set refused: old keys stay in use/);
    t.same(await keysOf(server.url), [old]);
    t.equal((await server.whoami(access_token)).status, 200);
  });

  t.test('a valid one is used at once: an added key signs, the old one verifies', async (t) => {
    const next = newSigningKey('EdDSA', Math.floor(Date.now() / 1_000));
    writeFileSync(path, keySet({ ...keys[0], nbf: 0 }, keys[1], next));
    server.child.kill('SIGHUP');
    await server.line(/key\.rotated/);
    t.same(await keysOf(server.url), [old, next.kid]);
    t.equal((await server.whoami(access_token)).status, 200);
    const fresh = await server.tokens('/v1/refresh', { refresh_token });
    const [header = ''] = fresh.access_token.split('.');
    t.match(JSON.parse(Buffer.from(header, 'base64url').toString()), {
      kid: next.kid,
      alg: 'EdDSA',
    });
  });

  t.test('KEY-06 without a signal too: tokens of a removed key are refused', async (t) => {
    const next = newSigningKey('ES256', 0);
    writeFileSync(path, keySet(next, keys[1]));
    t.ok(await until(async () => (await keysOf(server.url)).join() === next.kid));
    t.equal((await server.whoami(access_token)).status, 401);
  });

  t.test('an uncaught exception is logged, and shuts the process down gracefully', async (t) => {
    server.child.kill('SIGWINCH');
    t.match(await server.ended, { code: 1, signal: null });
    await server.line(/shutting down after an error/);
  });
});

interface Client {
  email: string;
  tokens: Tokens;
  /** The Idempotency-Key of the refresh in flight, if it has one. */
  key: string | undefined;
}

t.test('after a kill -9 under load, no user and no session is lost', async (t) => {
  const cwd = folder(t);
  const env = { PORT: String(await freePort()) };
  const clients: Client[] = [];
  const asked: string[] = [];
  let killed = false;

  for (let round = 0; round < 1; round += 1) {
    const server = await serve(t, { cwd, env });
    killed = false;
    const keyOf = (client: Client) => (client.key ? { 'idempotency-key': client.key } : {});

    const work = async (withKey: boolean) => {
      while (!killed) {
        const email = `${randomUUID()}@example.com`;
        asked.push(email);
        const tokens = await server.tokens('/v1/register', { email, password: PASSWORD });
        const client: Client = { email, tokens, key: undefined };
        clients.push(client);
        for (let turn = 0; turn < 5 && !killed; turn += 1) {
          client.key = withKey ? randomUUID() : undefined;
          const { refresh_token } = client.tokens;
          client.tokens = await server.tokens('/v1/refresh', { refresh_token }, keyOf(client));
        }
      }
    };
    const working = Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => work(index % 2 === 0)),
    );
    await until(async () => clients.length >= 16);
    killed = true;
    server.child.kill('SIGKILL');
    t.match(await server.ended, { signal: 'SIGKILL' });
    const ends = await working;
    t.ok(
      ends.some(({ status }) => status === 'rejected'),
      'some requests were in flight',
    );

    const again = await serve(t, { cwd, env });
    t.ok(clients.length >= 8, `${clients.length} clients`);
    for (const client of clients) {
      const { refresh_token } = client.tokens;
      const retried = await again.tokens('/v1/refresh', { refresh_token }, keyOf(client));
      client.tokens = await again.tokens('/v1/refresh', { refresh_token: retried.refresh_token });
      client.key = undefined;
      t.equal((await again.whoami(client.tokens.access_token)).status, 200);
    }
    const known = new Set(clients.map(({ email }) => email));
    for (const email of asked.filter((address) => !known.has(address))) {
      const answer = await again.post('/v1/register', { email, password: PASSWORD });
      t.ok(
        [201, 409].includes(answer.status),
        'a user without an answer exists completely or not at all',
      );
      if (answer.status !== 409) continue;
      t.ok((await again.tokens('/v1/login', { email, password: PASSWORD })).access_token);
    }
    asked.length = 0;
    again.child.kill('SIGTERM');
    t.match(await again.ended, { code: 0 });
  }

  const database = new SQLite(join(cwd, 'data', 'latchkey.db'), { readonly: true });
  t.same(database.pragma('integrity_check'), [{ integrity_check: 'ok' }]);
  const { count } = database.prepare('select count(*) as count from users').get() as {
    count: number;
  };
  t.ok(count >= clients.length);
  database.close();
});

t.test('nodes that start at once in an empty folder share one database and one key', async (t) => {
  const cwd = folder(t);
  const env = { ISSUER: 'http://localhost:3000' };
  const nodes = await Promise.all([
    serve(t, { cwd, env }),
    serve(t, { cwd, env }),
    serve(t, { cwd, env }),
  ]);
  const [first, ...others] = nodes;
  const { access_token, refresh_token } = await first.tokens('/v1/register', {
    email: 'ada@example.com',
    password: PASSWORD,
  });
  for (const other of others) t.equal((await other.whoami(access_token)).status, 200);
  const revoked = await others[0]?.post('/v1/logout', { refresh_token });
  t.equal(revoked?.status, 204);
  t.ok(
    await until(async () => (await first.whoami(access_token)).status === 401),
    'and share revocations',
  );
});

t.test('HTTPS without a proxy; on a terminal the log is readable', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'key.pem'), TLS_KEY);
  writeFileSync(join(cwd, 'cert.pem'), TLS_CERT);
  const env = { TLS_KEY: 'key.pem', TLS_CERT: 'cert.pem', SIGNING_KEYS: keysFor('ES256') };
  const server = await serve(t, {
    cwd,
    env,
    preload: 'process.stdout.isTTY = true',
    isMeasured: true,
  });
  const asked = request({ host: '127.0.0.1', port: server.port, path: '/livez', ca: TLS_CERT });
  const [answer] = await once(asked.end(), 'response');
  t.equal(answer.statusCode, 200);
  answer.resume();
  await server.line(/sign-up/);
  server.child.kill('SIGTERM');
  const { code, stdout } = await server.ended;
  t.equal(code, 0);
  t.ok(stdout.length > 4);
  for (const line of stdout) t.notMatch(line, /^\{/);
});

t.test('on PostgreSQL', async (t) => {
  const database = await postgres(t);
  const url = await database.create();
  const cwd = folder(t);
  const server = await serve(t, { cwd, env: { DATABASE_URL: url }, isMeasured: true });
  const credentials = { email: 'ada@example.com', password: PASSWORD };
  const { access_token, refresh_token } = await server.tokens('/v1/register', credentials);

  t.test('the log names the database, without its password', async (t) => {
    const { host, pathname } = new URL(url);
    await server.line(new RegExp(`database {2}postgres://${host}${pathname}"`));
    t.notMatch(server.stdout.join('\n'), /latchkey:latchkey/);
  });

  t.test(
    'without the database tokens are still checked, other requests get 503, and nobody is signed out',
    async (t) => {
      await database.stop();
      t.equal((await server.whoami(access_token)).status, 200);
      for (const answer of [
        await server.post('/v1/login', credentials),
        await server.post('/v1/refresh', { refresh_token }),
        await fetch(`${server.url}/readyz`),
      ]) {
        t.equal(answer.status, 503);
        t.notMatch(await answer.text(), /ECONN|postgres|sql/i);
      }
      await server.line(/revocations: poll failed/);
      await database.start();
      t.ok(await until(async () => (await fetch(`${server.url}/readyz`)).status === 200));
      const { refresh_token: next } = await server.tokens('/v1/refresh', { refresh_token });
      t.not(next, refresh_token);
    },
  );

  t.test('it shuts down gracefully', async (t) => {
    server.child.kill('SIGTERM');
    t.match(await server.ended, { code: 0, stderr: '' });
  });
});
