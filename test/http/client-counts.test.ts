import t, { type Test } from 'tap';
import { ClientCounts } from '../../src/http/client-counts.ts';
import { CountsOfAllNodes } from '../../src/parts/redis/counts-of-all-nodes.ts';

const WINDOW = 60_000;

/** Counts one request, and returns the store's result. */
const count = (counts: ClientCounts, prefix: string, window = WINDOW) =>
  new Promise<{ current: number; ttl: number }>((resolve, reject) =>
    counts.incr(prefix, (error, result) => (result ? resolve(result) : reject(error)), window),
  );

/** A clock controlled by the test, restored when the test ends. */
function clockOf(t: Test) {
  const real = Date.now;
  let now = real();
  Date.now = () => now;
  t.teardown(() => {
    Date.now = real;
  });
  return { advance: (milliseconds: number) => (now += milliseconds) };
}

t.test(
  'each client has its own count, in a window that starts with its first request',
  async (t) => {
    const clock = clockOf(t);
    const counts = new ClientCounts();
    t.same(await count(counts, '192.0.2.1'), { current: 1, ttl: WINDOW });
    clock.advance(10_000);
    t.same(await count(counts, '192.0.2.1'), { current: 2, ttl: 50_000 });
    t.same(await count(counts, '192.0.2.2'), { current: 1, ttl: WINDOW });
    clock.advance(49_999);
    t.same(await count(counts, '192.0.2.1'), { current: 3, ttl: 1 });
    clock.advance(1);
    t.same(await count(counts, '192.0.2.1'), { current: 1, ttl: WINDOW }, 'a new window');
    t.same(
      await count(counts, '192.0.2.2'),
      { current: 2, ttl: 10_000 },
      "nobody else's ends with it",
    );
  },
);

t.test('a flood of 150,000 addresses resets no count, and memory stays bounded', async (t) => {
  clockOf(t);
  const counts = new ClientCounts();
  const victims = ['192.0.2.1', '2001:db8:1:2::/64'];
  for (const victim of victims) {
    await count(counts, victim);
    await count(counts, victim);
  }
  let shared = 0;
  for (let junk = 0; junk < 150_000; junk += 1) {
    const prefix = `2001:db8:${(junk >> 16).toString(16)}:${(junk & 0xffff).toString(16)}::/65`;
    counts.incr(prefix, (_error, result) => (shared += (result?.current ?? 0) > 1 ? 1 : 0), WINDOW);
  }
  t.equal(
    shared,
    150_000 - 100_000 + victims.length - 1,
    'those who came too late share one count',
  );
  for (const victim of victims) t.equal((await count(counts, victim)).current, 3, victim);
});

t.test('when the table is full, new clients share the count of their network', async (t) => {
  const clock = clockOf(t);
  const counts = new ClientCounts({ maxClients: 2 });
  await count(counts, '192.0.2.1');
  clock.advance(1_000);
  await count(counts, '192.0.2.2');
  t.equal((await count(counts, '203.0.113.1')).current, 1);
  t.equal((await count(counts, '203.255.0.9')).current, 2, 'the same /8');
  t.equal((await count(counts, '198.51.100.1')).current, 1, 'another');
  t.equal((await count(counts, '2001:db8:1:2::/64')).current, 1);
  t.equal((await count(counts, '2001:db8:ffff:1::/64')).current, 2, 'the same /32');
  t.equal((await count(counts, '2001:db9:1:2::/64')).current, 1, 'another');
  t.equal(
    (await count(counts, '192.0.2.2')).current,
    2,
    'who was there before keeps a count alone',
  );

  t.equal((await count(counts, '203.0.113.1')).current, 3);
  clock.advance(WINDOW);
  t.equal(
    (await count(counts, '203.0.113.1')).current,
    1,
    'all windows have ended, so there is room',
  );
  t.equal((await count(counts, '203.255.0.9')).current, 1);
});

t.test('the sweep for ended windows runs at most once a second', async (t) => {
  const clock = clockOf(t);
  const counts = new ClientCounts({ maxClients: 1 });
  const next = async (prefix: string) => (await count(counts, prefix, 100)).current;
  t.same([await next('192.0.2.1'), await next('203.0.113.1')], [1, 1]);
  clock.advance(100);
  t.same([await next('203.0.113.2'), await next('203.0.113.3')], [1, 2], 'shared, in a new window');
  clock.advance(900);
  t.same(
    [await next('203.0.113.4'), await next('203.0.113.5')],
    [1, 1],
    'the first has room again',
  );
  t.equal(await next('203.0.113.4'), 2);
});

t.test('a route with its own limit has its own counts, for as many clients', async (t) => {
  const counts = new ClientCounts({ maxClients: 1 });
  const child = counts.child({});
  await count(counts, '192.0.2.1');
  t.equal((await count(child, '192.0.2.1')).current, 1);
  await count(child, '203.0.113.1');
  t.equal((await count(child, '203.0.113.2')).current, 2);
});

t.test(
  'with a count of all nodes: what others counted counts, and what Redis lost does not',
  async (t) => {
    let elsewhere = 4;
    let asked = 0;
    const all = await CountsOfAllNodes.open({
      link: {
        add: async (additions) => {
          asked += 1;
          return additions.map(({ count }) => {
            elsewhere += count;
            return { count: elsewhere, left: 5_000 };
          });
        },
        close() {},
      },
      key: () => Buffer.from('secret'),
      log: { warn: (line) => t.fail(line), info: () => {} },
    });
    t.teardown(() => all.close());
    const counts = new ClientCounts({ all, limit: 8 });
    t.same(await count(counts, '192.0.2.1'), { current: 6, ttl: 5_000 }, 'the probe was the fifth');
    elsewhere = 0;
    t.match(await count(counts, '192.0.2.1'), { current: 7 }, 'an empty Redis resets nothing');
    elsewhere = 10;
    t.same(await count(counts, '192.0.2.1'), { current: 11, ttl: 5_000 });
    const before = asked;
    t.match(await count(counts, '192.0.2.1'), { current: 12 });
    t.equal(asked, before, 'who is refused here is refused without a question');
  },
);

t.test(
  'without Redis, this process counts, and tells the other workers if there are any',
  async (t) => {
    const all = {
      isAway: true,
      add: (_client: string, _window: number, told: () => void) => told(),
    };
    const told: string[] = [];
    const node = { join: () => (key: string) => told.push(key) };
    for (const peers of [{}, { node: node as never }]) {
      const counts = new ClientCounts({ all: all as never, limit: 8, ...peers });
      t.match(await count(counts, '192.0.2.1'), { current: 1 });
      t.match(await count(counts, '192.0.2.1'), { current: 2 });
    }
    t.equal(told.length, 2, 'the other workers hear what Redis did not count');
  },
);
