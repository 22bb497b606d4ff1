import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';
import { launch, serve } from './server.ts';
import { PASSWORD, type Tokens } from './test-app.ts';

type Launched = ReturnType<typeof launch>;

interface Line {
  pid: number;
  msg: string;
  event?: string;
}

const linesOf = ({ stdout }: Launched): Line[] => stdout.map((line) => JSON.parse(line));

/** Repeats until the answer is true. */
async function until(what: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (await what()) return true;
    await sleep(20);
  }
  return false;
}

/** The process IDs of the workers that got ready, in order. */
const readyIn = (launched: Launched): number[] =>
  linesOf(launched).flatMap(({ msg }) => {
    const [, pid] = /^worker \d+ \(process (\d+)\) is ready$/.exec(msg) ?? [];
    return pid === undefined ? [] : [Number(pid)];
  });

type Options = Parameters<typeof serve>[1];

/** A node with two workers, both ready. */
async function twoWorkers(t: Test, { env, ...options }: Partial<Options> = {}) {
  const metricsPort = await freePort();
  const server = await serve(t, {
    cwd: folder(t),
    isMeasured: true,
    ...options,
    env: { WORKERS: '2', METRICS_PORT: `${metricsPort}`, ...env },
  });
  t.ok(await until(() => readyIn(server).length === 2), 'both are ready');
  const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return { ...server, metrics };
}

/** A connection that stays open, so that one worker answers everything on it. */
function connection(t: Test, url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  return async (path: string, headers: Record<string, string> = {}) => {
    const asked = request(`${url}${path}`, { agent, headers }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
}

/** One connection to each worker, with its process ID. */
async function connections(t: Test, server: Launched & { url: string }, path = '/livez') {
  const found = new Map<number, ReturnType<typeof connection>>();
  while (found.size < 2) {
    const count = () => linesOf(server).filter(({ msg }) => msg === 'request').length;
    const before = count();
    const ask = connection(t, server.url);
    await ask(path);
    await until(() => count() > before);
    const { pid } = linesOf(server).findLast(({ msg }) => msg === 'request') as Line;
    if (!found.has(pid)) found.set(pid, ask);
  }
  return [...found].map(([pid, ask]) => ({ pid, ask })) as [Asked, Asked];
}

interface Asked {
  pid: number;
  ask: ReturnType<typeof connection>;
}

const CREDENTIALS = { email: 'ada@example.com', password: PASSWORD };
const bearer = ({ access_token }: Tokens) => ({ authorization: `Bearer ${access_token}` });

/** The poll of the revocations runs once an hour. */
const WITHOUT_POLL = `
  const { setInterval } = globalThis;
  globalThis.setInterval = (work, every, ...rest) =>
    setInterval(work, every === 500 ? 3_600_000 : every, ...rest);`;

t.test('a revocation reaches the other worker by message, without a poll', async (t) => {
  const server = await twoWorkers(t, { preload: WITHOUT_POLL });
  const pair = await connections(t, server);
  for (const path of ['/v1/logout', '/v1/me/sessions']) {
    const tokens = await server.tokens(
      path === '/v1/logout' ? '/v1/register' : '/v1/login',
      CREDENTIALS,
    );
    for (const { ask } of pair) t.equal(await ask('/v1/whoami', bearer(tokens)), 200);
    const answer = await fetch(`${server.url}${path}`, {
      method: path === '/v1/logout' ? 'POST' : 'DELETE',
      headers: bearer(tokens),
    });
    t.equal(answer.status, 204);
    for (const { ask, pid } of pair)
      t.ok(await until(async () => (await ask('/v1/whoami', bearer(tokens))) === 401), `${pid}`);
  }
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('a worker that is killed is replaced, and the other one loses nothing', async (t) => {
  const preload = 'process.on("SIGWINCH", () => { throw new Error("unforeseen"); })';
  const server = await twoWorkers(t, { preload });
  const [victim, other] = await connections(t, server);
  const counted = async () => {
    const text = await server.metrics();
    const [, count] =
      /^latchkey_request_duration_seconds_count\{method="GET",route="\/livez".*\} (\d+)$/m.exec(
        text,
      ) ?? [];
    return Number(count);
  };
  const before = await counted();
  t.ok(before >= 2, 'the requests of both are counted');

  await t.test('by a signal', async (t) => {
    const faults: unknown[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const status = await other.ask('/livez').catch(String);
        if (status !== 200) faults.push(status);
      }
    })();
    process.kill(victim.pid, 'SIGKILL');
    await server.line(new RegExp(`process ${victim.pid}\\) ended \\(signal SIGKILL\\), replaced`));
    t.ok(await until(() => readyIn(server).length === 3));
    isOver = true;
    await asking;
    t.same(faults, []);
    t.ok((await counted()) > before, 'no counter fell');
    const text = await server.metrics();
    t.match(text, /^latchkey_workers 2$/m);
    t.match(text, /^latchkey_worker_starts_total 3$/m);
    t.match(text, /^latchkey_keys\{use="access_tokens",state="signing"\} 1$/m, 'no sum');
    t.match(text, /^latchkey_revocations_age_seconds \d/m);
    t.match(text, /^latchkey_hash_wait_seconds_count 0$/m);
  });

  await t.test('by an error that nothing caught: it is replaced while it ends', async (t) => {
    process.kill(other.pid, 'SIGWINCH');
    await server.line(new RegExp(`process ${other.pid}\\) is ending after an error, replaced`));
    await server.line(new RegExp(`process ${other.pid}\\) ended \\(exit code 1\\)"`));
    t.ok(await until(() => readyIn(server).length === 4));
    t.match(await server.metrics(), /^latchkey_workers 2$/m, 'it is replaced once');
    t.notOk(linesOf(server).some(({ msg }) => /before it was ready/.test(msg)));
    for (let count = 0; count < 4; count += 1)
      t.equal((await fetch(`${server.url}/readyz`)).status, 200);
  });

  await t.test('metrics come from those that answer', async (t) => {
    const [stopped] = readyIn(server).slice(-1) as [number];
    process.kill(stopped, 'SIGSTOP');
    const [first, second] = await Promise.all([counted(), counted()]);
    t.ok(first > before);
    t.equal(second, first);
    process.kill(stopped, 'SIGCONT');
  });

  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('a connection that a worker was just given when it died is closed', async (t) => {
  const server = await twoWorkers(t);
  const [victim] = await connections(t, server);
  process.kill(victim.pid, 'SIGSTOP');
  let answered = 0;
  const asked = Array.from({ length: 4 }, async () => {
    const headers = { connection: 'close' };
    const answer = await fetch(`${server.url}/livez`, { headers }).catch(() => undefined);
    answered += 1;
    return answer?.status;
  });
  t.ok(await until(() => answered === 3), 'the other worker answers the others');
  process.kill(victim.pid, 'SIGKILL');
  t.same((await Promise.all(asked)).toSorted(), [200, 200, 200, undefined]);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('SIGHUP makes every worker read the keys again', async (t) => {
  const cwd = folder(t);
  const server = await twoWorkers(t, { cwd });
  writeFileSync(join(cwd, 'data', 'keys.json'), '{');
  for (const pid of [...readyIn(server), server.child.pid as number]) process.kill(pid, 'SIGHUP');
  const refused = () => linesOf(server).filter(({ msg }) => msg.startsWith('key set refused'));
  t.ok(await until(() => new Set(refused().map(({ pid }) => pid)).size === 2));
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0 });
});

t.test('a signal to the whole group counts once: requests in flight are answered', async (t) => {
  const server = await twoWorkers(t, { env: { SHUTDOWN_DELAY: '10m' } });
  const body = JSON.stringify(CREDENTIALS);
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const inFlight = request(`${server.url}/v1/register`, { method: 'POST', headers });
  inFlight.write(body.slice(0, 10));
  await once(inFlight, 'socket');
  const signal = () => {
    for (const pid of [...readyIn(server), server.child.pid as number]) process.kill(pid, 'SIGINT');
  };
  const pair = await connections(t, server);
  signal();
  await server.line(/SIGINT: shutting down"/);
  for (const { ask } of pair)
    t.ok(await until(async () => (await ask('/readyz')) === 503), 'both are leaving');
  t.equal((await fetch(`${server.url}/livez`)).status, 200, 'and still accept connections');
  signal();
  await server.line(/SIGINT: shutting down faster"/);
  inFlight.end(body.slice(10));
  const [answer] = await once(inFlight, 'response');
  t.equal(answer.statusCode, 201);
  answer.resume();
  t.match(await server.ended, { code: 0, signal: null, stderr: '' });
});

t.test('the third signal ends every process at once', async (t) => {
  const server = await twoWorkers(t);
  const hanging = request(`${server.url}/v1/register`, { method: 'POST' }).on('error', () => {});
  hanging.write('{');
  await once(hanging, 'socket');
  for (const word of ['down"', 'down faster"', 'down faster"']) {
    server.child.kill('SIGTERM');
    await server.line(new RegExp(`SIGTERM: shutting ${word}`));
    await sleep(100);
  }
  t.match(await server.ended, { code: 1 });
});

t.test('a worker that does not end as it should is told', async (t) => {
  const server = await twoWorkers(t, { env: { SHUTDOWN_DELAY: '10m' } });
  const [first, second] = readyIn(server) as [number, number];
  server.child.kill('SIGTERM');
  await server.line(/SIGTERM: shutting down/);
  for (const pid of [first, second]) process.kill(pid, 'SIGKILL');
  t.match(await server.ended, { code: 1 });
  t.match(server.stdout.join('\n'), /worker 1 ended \(signal SIGKILL\)/);
});

t.test(
  'a worker that fails while the node ends is not replaced, and no line says so',
  async (t) => {
    const preload = `
  process.on('message', ({ type }) => {
    if (type === 'end') throw new Error('unforeseen');
  });`;
    const server = await twoWorkers(t, { preload });
    server.child.kill('SIGTERM');
    t.match(await server.ended, { code: 1 });
    const lines = server.stdout.join('\n');
    t.match(lines, /shutting down after an error/);
    t.notMatch(lines, /replaced/);
  },
);

t.test('after a kill -9 of the primary no worker stays, and requests are answered', async (t) => {
  const server = await twoWorkers(t);
  const [one, two] = await connections(t, server);
  server.child.kill('SIGKILL');
  t.same(await Promise.all([one.ask('/livez'), two.ask('/livez')]), [200, 200]);
  t.match(await server.ended, { signal: 'SIGKILL', stderr: '' });
  t.equal(linesOf(server).filter(({ msg }) => /primary process is gone/.test(msg)).length, 2);
});

const START = { WORKERS: '2', PORT: '0', METRICS_PORT: '0' };
/** What a worker runs before the service; the first is number 1. */
const inWorker = (statement: string) => `
  import cluster from 'node:cluster';
  const id = cluster.worker?.id ?? 0;
  ${statement}`;

t.test('a start that fails has one message and one exit code', async (t) => {
  const rival = createServer().listen(0, '127.0.0.1');
  await once(rival, 'listening');
  t.teardown(() => rival.close());
  const { port } = rival.address() as { port: number };
  const starts: [Record<string, string>, number, RegExp][] = [
    [{ PORT: `${port}` }, 78, /^Port \d+ of 127\.0\.0\.1 is in use\. .*\n$/],
    [{ DATABASE_URL: 'file:text' }, 78, /^The database .* is not a SQLite database\..*\n$/],
    [{ SIGNING_KEYS: '{"keys":[]}' }, 78, /^SIGNING_KEYS cannot be used: .*\n$/],
    [{ WORKERS: 'two' }, 78, /^The configuration has a mistake:\n.*\n$/],
    [
      { TLS_CERT: 'text', TLS_KEY: 'text' },
      78,
      /^The configuration has a mistake:\n {2}TLS_CERT and TLS_KEY must be .*\n$/,
    ],
  ];
  for (const [env, code, says] of starts) {
    const cwd = folder(t);
    writeFileSync(join(cwd, 'text'), 'neither a database nor a certificate'.repeat(30));
    const ended = await launch(t, { cwd, env: { ...START, ...env }, isMeasured: true }).ended;
    t.equal(ended.code, code, JSON.stringify(env));
    t.match(ended.stderr, says);
  }
  const preload = inWorker("if (id > 0) process.kill(process.pid, 'SIGKILL');");
  const killed = launch(t, { cwd: folder(t), env: START, preload, isMeasured: true });
  t.match(await killed.ended, {
    code: 69,
    stderr: 'The first worker ended (signal SIGKILL) before it was ready.\n',
  });
});

t.test('a signal during the start ends every process', async (t) => {
  const preload = inWorker("if (id === 1) process.kill(process.ppid, 'SIGTERM');");
  const server = launch(t, { cwd: folder(t), env: START, preload, isMeasured: true });
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('while another worker starts, a signal ends both', async (t) => {
  const preload = inWorker("if (id === 2) process.kill(process.ppid, 'SIGTERM');");
  const server = launch(t, { cwd: folder(t), env: START, preload, isMeasured: true });
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('workers that end before they are ready are tried again, then the node ends', async (t) => {
  const preload = inWorker('if (id > 1) process.exit(3);');
  const env = { WORKERS: '2' };
  const server = await serve(t, { cwd: folder(t), env, preload, isMeasured: true });
  await server.line(/ended \(exit code 3\) before it was ready, next try in 0\.5 s/);
  t.equal((await fetch(`${server.url}/livez`)).status, 200, 'the first serves');
  process.kill(readyIn(server)[0] as number, 'SIGKILL');
  t.match(await server.ended, { code: 69, stderr: /^No worker gets ready: [^\n]*\n$/ });
});

t.test('a signal while a worker waits for its next try starts no more', async (t) => {
  const preload = inWorker('if (id > 1) process.exit(3);');
  const env = { WORKERS: '2', SHUTDOWN_DELAY: '2s' };
  const server = await serve(t, { cwd: folder(t), env, preload, isMeasured: true });
  await server.line(/before it was ready, next try in 1 s/);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
  t.notMatch(server.stdout.join(), /next try in 2 s/);
});

/** Guesses a password, on a new connection each time: each worker gets every other guess. */
const guess = async (server: { url: string }, email: string): Promise<number> => {
  const answer = await fetch(`${server.url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ email, password: 'a wrong guess, but long enough' }),
  });
  await answer.arrayBuffer();
  return answer.status;
};

t.test('the workers count guesses together, at known and unknown addresses alike', async (t) => {
  const server = await twoWorkers(t);
  await server.tokens('/v1/register', CREDENTIALS);
  for (const email of [CREDENTIALS.email, 'nobody@example.com']) {
    const statuses: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) statuses.push(await guess(server, email));
    t.same(statuses, [401, 401, 401, 401, 401, 429, 429], email);
  }
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('the workers count the requests of a client together', async (t) => {
  const server = await twoWorkers(t, { env: { RATE_LIMIT: '600/1h', AUTH_RATE_LIMIT: '10/1h' } });
  const statuses: number[] = [];
  for (let turn = 0; turn < 14; turn += 1)
    statuses.push(await guess(server, `nobody${turn}@example.com`));
  const counted = statuses.filter((status) => status === 401).length;
  t.ok(counted >= 10 && counted <= 11, `${counted}`);
  t.same(statuses.slice(11), [429, 429, 429]);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0 });
});

t.test('two processes write one SQLite file: no refresh fails, and none is lost', async (t) => {
  const server = await twoWorkers(t);
  const first = await server.tokens('/v1/register', CREDENTIALS);
  const sessions = await Promise.all(
    Array.from({ length: 8 }, () => server.tokens('/v1/login', CREDENTIALS)),
  );
  const renewed = await Promise.all(
    [first, ...sessions].map(async (tokens) => {
      let current = tokens;
      for (let turn = 0; turn < 15; turn += 1) {
        const { refresh_token } = current;
        // A new connection each time: to either worker.
        current = await server.tokens('/v1/refresh', { refresh_token }, { connection: 'close' });
      }
      return current;
    }),
  );
  for (const { access_token } of renewed) t.equal((await server.whoami(access_token)).status, 200);
  const pids = linesOf(server)
    .filter(({ msg }) => msg === 'request')
    .map(({ pid }) => pid);
  t.equal(new Set(pids).size, 2, 'both took part');
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});
