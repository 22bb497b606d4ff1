import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ClientCounts } from '../../src/http/client-counts.ts';
import { CountsOfNode } from '../../src/http/counts-of-node.ts';
import { linkedPeers } from '../parts/linked-peers.ts';

const WINDOW = 3_600_000;

/** The counts of two workers, and what they told each other. */
function workers(limit: number, options: { maxClients?: number } = {}) {
  const [peers, others, told] = linkedPeers();
  const [one, two] = [peers, others].map(
    (side) => new ClientCounts({ ...options, node: new CountsOfNode(side, 2), limit }),
  ) as [ClientCounts, ClientCounts];
  return { one, two, told };
}

function count(counts: ClientCounts, prefix = '192.0.2.1', window = WINDOW): number {
  let current = 0;
  counts.incr(prefix, (_error, result) => (current = result?.current ?? 0), window);
  return current;
}

t.test('two workers count the requests of a client together', async (t) => {
  const { one, two } = workers(30);
  const counted = Array.from({ length: 30 }, (_, turn) => count(turn % 2 === 0 ? one : two));
  t.same(
    counted,
    Array.from({ length: 30 }, (_, turn) => turn + 1),
    'a low limit at once',
  );
  t.equal(count(one, '192.0.2.2'), 1, 'and every client alone');
});

t.test('of a high limit at most an eighth is counted before the others know', async (t) => {
  const { one, two, told } = workers(1_600);
  for (let turn = 0; turn < 99; turn += 1) count(one);
  t.equal(told.length, 0);
  count(one);
  t.equal(told.length, 1, 'a sixteenth, of each worker');
  t.equal(count(two), 101);
  while (told.length < 2) await sleep(10);
  t.equal(count(one), 102, 'and soon they know of every request');
});

t.test('a flood that is refused anyway costs no messages', async (t) => {
  const { one, two, told } = workers(8);
  for (let turn = 0; turn < 100; turn += 1) count(one);
  t.equal(told.length, 8);
  t.equal(count(two), 9, 'the other worker refuses too');
});

t.test('the window that ends first is that of the node', async (t) => {
  const { one, two } = workers(8);
  const endOf = (counts: ClientCounts, window: number) => {
    let ttl = 0;
    counts.incr('192.0.2.1', (_error, result) => (ttl = result?.ttl ?? 0), window);
    return ttl;
  };
  t.equal(endOf(one, WINDOW), WINDOW);
  one.learn({ key: '192.0.2.1', count: 1, ends: Date.now() + 1_000 });
  t.ok(endOf(one, WINDOW) <= 1_000);
  const late = { key: '192.0.2.9', count: 7, ends: Date.now() };
  two.learn(late);
  t.equal(count(two, late.key), 1, 'one that is over does not count');
  two.learn({ ...late, ends: Date.now() + 1 });
  while (count(two, late.key, 1) > 1);
  two.learn({ ...late, ends: Date.now() + WINDOW });
  t.ok(count(two, late.key) >= 8);
});

t.test('each limit has counts of its own, also in the other worker', async (t) => {
  const { one, two } = workers(30);
  const [own, other] = [one.child({ max: 8 }), two.child({ max: 8 })];
  t.equal(count(own), 1);
  t.equal(count(other), 2);
  t.equal(count(one), 1);
  t.equal(count(two), 2);
});

t.test('a full table counts what it is told by network', async (t) => {
  const { one, two } = workers(30, { maxClients: 1 });
  count(one, '192.0.2.1');
  two.learn({ key: '203.0.113.1', count: 5, ends: Date.now() + WINDOW });
  t.equal(count(two, '203.0.113.200'), 6);
});

t.test('a worker whose routes differ is not confused by a limit that it lacks', async (t) => {
  const { one, two, told } = workers(30);
  count(one.child({ max: 8 }));
  t.equal(told.length, 1);
  t.equal(count(two), 1);
});
