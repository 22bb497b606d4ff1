import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';
import { hasRedis, redis } from './redis.ts';
import { selfSigned } from './self-signed.ts';
import { serve } from './server.ts';
import { keysFor, type TestApp, testApp } from './test-app.ts';

type Node = Awaited<ReturnType<typeof serve>>;

/** A busy machine is not a Redis that is slow: the wait of 50 ms takes two seconds. */
const PATIENT = `
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (work, wait, ...rest) => setTimeout(work, wait === 50 ? 2_000 : wait, ...rest);`;

/** Two real nodes. They have only the keys and the Redis in common, which is all that the limits need. */
const twoNodes = (t: Test, env: Record<string, string>): Promise<[Node, Node]> =>
  Promise.all(
    [0, 1].map(() =>
      serve(t, {
        cwd: folder(t),
        preload: PATIENT,
        env: { SIGNING_KEYS: keysFor('ES256'), ...env },
      }),
    ),
  ) as Promise<[Node, Node]>;

const linesAbout = (node: Node) =>
  node.stdout.filter((line) => line.includes('REDIS_URL')).map((line) => JSON.parse(line).msg);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

const BACK = 'REDIS_URL: Redis counts again, for all nodes together';

/** Of three requests, one after another. */
async function threeStatuses(app: TestApp['app']): Promise<number[]> {
  const statuses = [];
  for (let turn = 0; turn < 3; turn += 1)
    statuses.push((await app.inject({ url: '/livez' })).statusCode);
  return statuses;
}

/** Requests to both nodes until the test says that it has seen enough. Returns the statuses. */
function flood(nodes: Node[]) {
  const statuses = new Set<number | string>();
  let isOver = false;
  const callers = nodes.flatMap(({ url }) =>
    Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const answer = await fetch(`${url}/livez`).catch(String);
        statuses.add(typeof answer === 'string' ? answer : answer.status);
        if (typeof answer !== 'string') await answer.text();
      }
    }),
  );
  return async () => {
    isOver = true;
    await Promise.all(callers);
    return [...statuses];
  };
}

async function proven(t: Test): Promise<void> {
  t.test('two nodes allow a limit once', async (t) => {
    const server = await redis(t);
    const nodes = await twoNodes(t, {
      REDIS_URL: server.url,
      RATE_LIMIT: '20/1h',
      AUTH_RATE_LIMIT: '3/1h',
    });
    const answers = [];
    for (let turn = 0; turn < 30; turn += 1)
      answers.push(await fetch(`${nodes[turn % 2]?.url}/livez`));
    t.same(
      answers.map(({ status }) => status),
      [...Array(20).fill(200), ...Array(10).fill(429)],
    );
    t.same(
      answers.slice(0, 20).map(({ headers }) => headers.get('ratelimit-remaining')),
      Array.from({ length: 20 }, (_, turn) => String(19 - turn)),
    );
    for (const { headers } of answers) {
      const reset = Number(headers.get('ratelimit-reset'));
      t.ok(reset > 3_500 && reset <= 3_600, `${reset}`);
    }
    t.ok(Number(answers.at(-1)?.headers.get('retry-after')) > 3_500);

    await t.test(
      'also to those who come all at once, and for each route with its own',
      async (t) => {
        const body = { email: 'ada@example.com', password: 'wrong wrong wrong' };
        const all = await Promise.all(
          Array.from({ length: 12 }, (_, turn) => nodes[turn % 2]?.post('/v1/login', body)),
        );
        t.equal(all.filter((answer) => answer?.status === 401).length, 3);
        t.equal(all.filter((answer) => answer?.status === 429).length, 9);
        t.equal((await nodes[0].post('/v1/password/forgot', { email: 'a@b.example' })).status, 202);
      },
    );

    await t.test('and Redis holds no address, and nothing longer than its window', async (t) => {
      const keys = server.ask('KEYS', '*').split('\n');
      t.ok(keys.length >= 3);
      for (const key of keys) {
        t.match(key, /^latchkey:([\w-]{22}|probe)$/);
        if (key !== 'latchkey:probe') t.ok(Number(server.ask('PTTL', key)) > 3_500_000);
      }
    });
    for (const node of nodes) t.same(linesAbout(node), []);
  });

  t.test('Redis is killed in the middle of a flood, and comes back', async (t) => {
    const server = await redis(t);
    const nodes = await twoNodes(t, {
      REDIS_URL: server.url,
      RATE_LIMIT: '1000000/1h',
      AUTH_RATE_LIMIT: '2/1h',
    });
    const login = (node: Node) =>
      node.post('/v1/login', { email: 'ada@example.com', password: 'wrong wrong wrong' });
    for (const node of nodes) t.equal((await login(node)).status, 401);
    const over = flood(nodes);
    await sleep(200);
    await server.kill();
    await until(() => nodes.every((node) => linesAbout(node).length > 0));
    for (const node of nodes) {
      t.equal((await fetch(`${node.url}/readyz`)).status, 200);
      t.match(linesAbout(node), [/^REDIS_URL: Redis does not count \(/]);
    }
    t.equal((await login(nodes[1])).status, 429, 'what Redis had counted is not forgotten');
    await sleep(1_500);
    const again = await redis(t, [], server.port);
    await until(() => nodes.every((node) => linesAbout(node).length > 1));
    t.equal((await login(nodes[1])).status, 429, 'nor when it comes back with nothing');
    t.same(await over(), [200]);
    t.match(again.ask('KEYS', '*'), /^latchkey:/m);
    for (const node of nodes) t.match(linesAbout(node).slice(1), [BACK]);
  });

  t.test('Redis hangs in the middle of a flood, and goes on', async (t) => {
    const server = await redis(t);
    const nodes = await twoNodes(t, { REDIS_URL: server.url, RATE_LIMIT: '1000000/1h' });
    const over = flood(nodes);
    await sleep(200);
    server.stop();
    await until(() => nodes.every((node) => linesAbout(node).length > 0));
    for (const node of nodes) t.equal((await fetch(`${node.url}/readyz`)).status, 200);
    // Longer than a silent connection is kept.
    await sleep(6_000);
    server.goOn();
    await until(() => nodes.every((node) => linesAbout(node).length > 1));
    t.same(await over(), [200]);
    for (const node of nodes)
      t.match(linesAbout(node), [/\(no answer within 50 ms\)/, BACK], 'one line each');
  });

  t.test('a full Redis refuses, and each node counts for itself', async (t) => {
    const server = await redis(t, ['--maxmemory', '1', '--maxmemory-policy', 'noeviction']);
    const { app, logs } = await testApp(t, {
      env: { REDIS_URL: server.url, RATE_LIMIT: '2/1m' },
    });
    t.same(await threeStatuses(app), [200, 200, 429]);
    t.match(
      logs.filter(({ msg }) => /REDIS_URL/.test(String(msg))),
      [{ level: 40, msg: /does not count \(OOM\)/ }],
    );
  });

  t.test('a password and TLS work, and a wrong password is never logged', async (t) => {
    const place = folder(t);
    const { cert, key } = selfSigned();
    const [certFile, keyFile] = [join(place, 'cert.pem'), join(place, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile];
    const options = ['--port', '0', '--tls-port', 'PORT', '--tls-auth-clients', 'no', ...files];
    const { port } = await redis(t, [...options, '--requirepass', 'right']);
    const run = async (password: string, trusted: boolean) => {
      const node = await serve(t, {
        cwd: folder(t),
        env: {
          REDIS_URL: `rediss://:${password}@localhost:${port}/1`,
          RATE_LIMIT: '9/1m',
          LOG_LEVEL: 'trace',
          ...(trusted && { NODE_EXTRA_CA_CERTS: certFile }),
        },
      });
      t.equal((await fetch(`${node.url}/livez`)).status, 200);
      node.child.kill('SIGTERM');
      const { stdout, stderr, code } = await node.ended;
      t.equal(code, 0);
      t.notMatch(stdout.join('\n') + stderr, password);
      return linesAbout(node);
    };
    t.same(await run('right', true), []);
    t.match(await run('s3cret-but-wrong', true), [/WRONGPASS|NOAUTH/]);
    t.match(await run('right', false), [/SELF_SIGNED/], 'a certificate that nobody vouches for');
  });

  t.test('the workers of a node count with it', async (t) => {
    const server = await redis(t);
    const [node] = await twoNodes(t, {
      REDIS_URL: server.url,
      RATE_LIMIT: '9/1h',
      WORKERS: '2',
    });
    const statuses = [];
    for (let turn = 0; turn < 14; turn += 1)
      statuses.push(
        (await fetch(`${node.url}/livez`, { headers: { connection: 'close' } })).status,
      );
    t.same(statuses, [...Array(9).fill(200), ...Array(5).fill(429)]);
  });
}

if (hasRedis) await proven(t);
else {
  t.comment('NOT RUN: redis-server is not installed here, so no node was tried with a real Redis');
  t.pass('redis-server is not installed here');
}

t.test('a node starts without a Redis, and counts for itself', async (t) => {
  const { app, logs, context } = await testApp(t, {
    env: { REDIS_URL: `redis://:s3cret@127.0.0.1:${await freePort()}`, RATE_LIMIT: '2/1m' },
  });
  t.same(await threeStatuses(app), [200, 200, 429]);
  t.match(
    logs.filter(({ msg }) => /REDIS_URL/.test(String(msg))),
    [{ level: 40, msg: /does not count \(ECONNREFUSED\)/ }],
  );
  t.match(await context.metrics.registry.metrics(), /^latchkey_redis_up 0$/m);
  t.notMatch(JSON.stringify(logs), 's3cret');
  const remoteAddress = '192.0.2.2';
  t.equal((await app.inject({ url: '/readyz', remoteAddress })).statusCode, 200);
});
