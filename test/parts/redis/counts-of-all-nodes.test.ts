import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CountsOfAllNodes } from '../../../src/parts/redis/counts-of-all-nodes.ts';
import {
  type Addition,
  RedisFault,
  type SharedCount,
} from '../../../src/parts/redis/redis-link.ts';

const WINDOW = 60_000;

/** A Redis of which the test says what it does. */
class Link {
  does: 'counts' | 'refuses' | 'hangs' = 'counts';
  isClosed = false;
  readonly commands: Addition[][] = [];
  readonly counts = new Map<string, number>();

  async add(additions: Addition[]): Promise<SharedCount[]> {
    this.commands.push(additions);
    await new Promise(setImmediate);
    if (this.does === 'refuses') throw new RedisFault('OOM');
    if (this.does === 'hangs') return new Promise(() => {});
    return additions.map(({ key, count, window }) => {
      this.counts.set(key, (this.counts.get(key) ?? 0) + count);
      return { count: this.counts.get(key) as number, left: window };
    });
  }

  close() {
    this.isClosed = true;
  }
}

async function opened(t: Test, does: Link['does'] = 'counts') {
  const link = new Link();
  link.does = does;
  const said: string[] = [];
  const counts = await CountsOfAllNodes.open({
    link,
    key: () => Buffer.from('secret'),
    log: { warn: (line) => said.push(line), info: (line) => said.push(line) },
  });
  t.teardown(() => counts.close());
  const add = (client = '192.0.2.1') =>
    new Promise<SharedCount | undefined>((resolve) => counts.add(client, WINDOW, resolve));
  return { link, said, counts, add };
}

t.test(
  'requests that arrive together are one command, and each gets a count of its own',
  async (t) => {
    const { link, add, said } = await opened(t);
    const together = await Promise.all([add(), add(), add('192.0.2.2'), add()]);
    t.same(
      together.map((shared) => shared?.count),
      [1, 2, 1, 3],
    );
    t.equal(link.commands.length, 2, 'after the probe');
    t.same(
      link.commands[1]?.map(({ count, window }) => [count, window]),
      [
        [3, WINDOW],
        [1, WINDOW],
      ],
    );
    t.same(said, []);
  },
);

t.test('while a command is on its way the next one gathers', async (t) => {
  const { link, add } = await opened(t);
  const first = add();
  while (link.commands.length < 2) await new Promise(setImmediate);
  const later = [add(), add()];
  t.same(await first, { count: 1, left: WINDOW });
  t.same(
    (await Promise.all(later)).map((shared) => shared?.count),
    [2, 3],
  );
  t.equal(link.commands.length, 3);
});

t.test('Redis gets no address, but the same name from every node', async (t) => {
  const { link, add } = await opened(t);
  const other = await opened(t);
  await Promise.all([add('192.0.2.1'), add('192.0.2.2'), other.add('192.0.2.1')]);
  const [one, two] = link.commands[1] as [Addition, Addition];
  t.match(one.key, /^[\w-]{22}$/);
  t.not(one.key, two.key);
  t.equal(other.link.commands[1]?.[0]?.key, one.key);
});

for (const [does, fault] of [
  ['refuses', 'OOM'],
  ['hangs', 'no answer within 50 ms'],
] as const) {
  t.test(
    `a Redis that ${does} is asked no more: one warning, and one line when it is back`,
    async (t) => {
      const { link, add, said, counts } = await opened(t);
      link.does = does;
      t.same(await Promise.all([add(), add(), add('192.0.2.2')]), [
        undefined,
        undefined,
        undefined,
      ]);
      t.equal(counts.isAway, true);
      const asked = link.commands.length;
      t.same(await Promise.all([add(), add()]), [undefined, undefined]);
      t.equal(link.commands.length, asked, 'nobody waits for it');
      while (link.commands.length < asked + 2) await sleep(20);
      t.same(said, [
        `REDIS_URL: Redis does not count (${fault}). Each node counts requests for itself until it does`,
      ]);
      link.does = 'counts';
      while (counts.isAway) await sleep(20);
      t.equal((await add())?.count, 1);
      t.same(said.slice(1), ['REDIS_URL: Redis counts again, for all nodes together']);
    },
  );
}

t.test('those that gathered behind a command that failed do not wait either', async (t) => {
  const { link, add } = await opened(t);
  link.does = 'hangs';
  const first = add();
  while (link.commands.length < 2) await new Promise(setImmediate);
  t.same(await Promise.all([first, add()]), [undefined, undefined]);
});

t.test('an answer that came while this process was busy is in time', async (t) => {
  const { add, said } = await opened(t);
  const asked = add();
  await new Promise(setImmediate);
  const until = performance.now() + 80;
  while (performance.now() < until);
  t.same(await asked, { count: 1, left: WINDOW });
  t.same(said, []);
});

t.test('without a Redis it opens all the same, with the warning', async (t) => {
  const { link, add, said, counts } = await opened(t, 'hangs');
  t.equal(await add(), undefined);
  t.equal(said.length, 1);
  counts.close();
  t.ok(link.isClosed);
});

t.test('one that ends while a command is on its way is silent, and nobody waits', async (t) => {
  const { link, add, said, counts } = await opened(t);
  link.does = 'refuses';
  const asked = add();
  while (link.commands.length < 2) await new Promise(setImmediate);
  const gathered = add();
  counts.close();
  t.same(await Promise.all([asked, gathered]), [undefined, undefined]);
  t.same(said, []);
  await sleep(1_100);
  t.equal(link.commands.length, 2, 'Redis is asked no more');
});

t.test('one that ends while it looks says nothing more', async (t) => {
  const { link, said, counts } = await opened(t, 'refuses');
  const asked = link.commands.length;
  link.does = 'counts';
  while (link.commands.length === asked) await new Promise(setImmediate);
  counts.close();
  await sleep(10);
  t.equal(said.length, 1);
});
