import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { evenly } from '../../src/http/even-time.ts';

/** Milliseconds until the promise settles. */
async function durationOf(work: Promise<unknown>): Promise<number> {
  const from = performance.now();
  await evenly(work).catch(() => {});
  return performance.now() - from;
}

t.test('fast work takes as long as slower work', async (t) => {
  t.equal(await evenly(Promise.resolve('done')), 'done');
  // Timers are accurate to one millisecond.
  t.ok((await durationOf(Promise.resolve())) >= 39);
  t.ok((await durationOf(sleep(10))) >= 39);
});

t.test('work slower than the floor is not delayed further', async (t) => {
  const from = performance.now();
  const work = sleep(80).then(() => performance.now());
  t.ok((await evenly(work)) - from >= 79);
  t.ok(performance.now() - (await work) < 35);
});

t.test('an error is passed on', async (t) => {
  await t.rejects(evenly(Promise.reject(new Error('down'))), { message: 'down' });
});
