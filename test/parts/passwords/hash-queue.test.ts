import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { HashQueue } from '../../../src/parts/passwords/hash-queue.ts';
import { Refusal } from '../../../src/rules/refusal.ts';

/** Work that the test ends. */
function job(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = () => {
    log.push(`${name} begins`);
    return promise;
  };
  return { work, end: () => resolve(name), fail: (error: Error) => reject(error) };
}

t.test('PWD-07 the number of concurrent hashes is limited', async (t) => {
  const queue = new HashQueue({ concurrency: 3, waiting: 100 });
  let running = 0;
  let most = 0;
  const done = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      queue.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(index % 4);
        running -= 1;
        return index;
      }),
    ),
  );
  t.equal(most, 3);
  t.same(
    done,
    Array.from({ length: 40 }, (_, index) => index),
    'each gets its own result',
  );
});

t.test('work runs in the order in which it arrived', async (t) => {
  const queue = new HashQueue({ concurrency: 1, waiting: 10 });
  const log: string[] = [];
  const [a, b, c, d] = [job(log, 'a'), job(log, 'b'), job(log, 'c'), job(log, 'd')];
  const runs = [a, b, c].map(({ work }) => queue.run(work));
  t.same(log, ['a begins']);
  a.end();
  await runs[0];
  runs.push(queue.run(d.work));
  for (const { end } of [b, c, d]) end();
  await Promise.all(runs);
  t.same(log, ['a begins', 'b begins', 'c begins', 'd begins']);
});

t.test('PWD-07 with a full queue work is refused at once, with Retry-After', async (t) => {
  const queue = new HashQueue({ concurrency: 1, waiting: 2 });
  const log: string[] = [];
  const [a, b, c] = [job(log, 'a'), job(log, 'b'), job(log, 'c')];
  const runs = [a, b, c].map(({ work }) => queue.run(work));
  const refusal = await queue.run(async () => t.fail('it ran')).catch((error) => error);
  t.ok(refusal instanceof Refusal);
  t.match(refusal, { code: 'overloaded', circumstances: { retryAfter: 2 } });
  a.end();
  await runs[0];
  runs.push(queue.run(async () => 'd'));
  for (const { end } of [b, c]) end();
  t.same(await Promise.all(runs), ['a', 'b', 'c', 'd'], 'a freed place is used again');
});

t.test(
  'AUT-06 strangers fill only their own lane, and the lanes are served alternately',
  async (t) => {
    const queue = new HashQueue({ concurrency: 1, waiting: 3 });
    const log: string[] = [];
    const stranger = { stranger: true };
    const first = job(log, 'first');
    const running = queue.run(first.work);
    const add = (name: string, turn?: { stranger: boolean }) =>
      queue.run(async () => log.push(name), turn);
    const runs = ['s1', 's2', 's3'].map((name) => add(name, stranger));
    await t.rejects(add('s4', stranger), { code: 'overloaded' }, 'their lane is full');
    runs.push(...['k1', 'k2', 'k3'].map((name) => add(name)));
    await t.rejects(add('k4'), { code: 'overloaded' }, 'the other lane is limited too');
    t.equal(queue.length, 6);
    for (const turn of [{}, stranger])
      t.throws(() => queue.assertRoom(turn), { code: 'overloaded' });
    first.end();
    await Promise.all([running, ...runs]);
    t.same(log, ['first begins', 'k1', 's1', 'k2', 's2', 'k3', 's3']);
    for (const turn of [{}, stranger]) t.doesNotThrow(() => queue.assertRoom(turn));
    t.equal(queue.length, 0);
  },
);

t.test('without a queue, work runs only if a place is free', async (t) => {
  const queue = new HashQueue({ concurrency: 1, waiting: 0 });
  const a = job([], 'a');
  const first = queue.run(a.work);
  await t.rejects(
    queue.run(async () => 'b'),
    { code: 'overloaded' },
  );
  a.end();
  t.equal(await first, 'a');
  t.equal(await queue.run(async () => 'c'), 'c');
});

t.test('work that fails frees its place, and only its own caller gets the error', async (t) => {
  const queue = new HashQueue({ concurrency: 1, waiting: 10 });
  const log: string[] = [];
  const a = job(log, 'a');
  const failed = queue.run(a.work);
  const thrown = queue.run(() => {
    throw new Error('at once');
  });
  const after = queue.run(async () => 'after');
  a.fail(new Error('later'));
  await t.rejects(failed, { message: 'later' });
  await t.rejects(thrown, { message: 'at once' });
  t.equal(await after, 'after');
  let running = 0;
  await Promise.all(
    Array.from({ length: 5 }, () =>
      queue.run(async () => {
        running += 1;
        t.equal(running, 1, 'the number of places has not changed');
        await sleep(1);
        running -= 1;
      }),
    ),
  );
});

t.test('work whose client has disconnected is dropped, and its place is free', async (t) => {
  const queue = new HashQueue({ concurrency: 1, waiting: 2 });
  const log: string[] = [];
  const [a, b, c, d] = [job(log, 'a'), job(log, 'b'), job(log, 'c'), job(log, 'd')];
  const leaving = new AbortController();
  const staying = new AbortController();
  const first = queue.run(a.work, staying);
  const dropped = queue.run(b.work, leaving);
  const second = queue.run(c.work, staying);
  t.equal(queue.length, 2);
  await t.rejects(queue.run(d.work), { code: 'overloaded' }, 'it is full');
  leaving.abort();
  await t.rejects(dropped, {
    code: 'overloaded',
    circumstances: { reason: 'the client has disconnected' },
  });
  t.equal(queue.length, 1);
  const third = queue.run(d.work);
  for (const { end } of [a, c, d]) end();
  t.same(await Promise.all([first, second, third]), ['a', 'c', 'd']);
  t.same(log, ['a begins', 'c begins', 'd begins'], 'in their order');
  t.equal(queue.length, 0);
});

t.test(
  'work of a disconnected client is not queued, but is not stopped once it runs',
  async (t) => {
    const queue = new HashQueue({ concurrency: 1, waiting: 1 });
    const log: string[] = [];
    const [a, b] = [job(log, 'a'), job(log, 'b')];
    const leaving = new AbortController();
    const running = queue.run(a.work, leaving);
    leaving.abort();
    await t.rejects(queue.run(b.work, leaving), { code: 'overloaded' });
    t.equal(queue.length, 0);
    const waiting = new AbortController();
    const next = queue.run(b.work, waiting);
    a.end();
    t.equal(await running, 'a');
    waiting.abort();
    b.end();
    t.equal(await next, 'b', 'an abort after the work has started changes nothing');
    t.equal(await queue.run(async () => 'c'), 'c', 'no place was lost');
  },
);

t.test(
  'a client that disconnects after its work has started does not remove others from the queue',
  async (t) => {
    const queue = new HashQueue({ concurrency: 1, waiting: 2 });
    const log: string[] = [];
    const [a, b, c] = [job(log, 'a'), job(log, 'b'), job(log, 'c')];
    const leaving = new AbortController();
    const first = queue.run(a.work);
    const second = queue.run(b.work, leaving);
    const third = queue.run(c.work);
    a.end();
    await first;
    leaving.abort();
    t.equal(queue.length, 1);
    b.end();
    c.end();
    t.same(await Promise.all([second, third]), ['b', 'c']);
    t.same(log, ['a begins', 'b begins', 'c begins']);
  },
);
