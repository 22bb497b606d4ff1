import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { readConfig } from '../../src/config.ts';
import { paceOf } from '../../src/context.ts';
import { evenly } from '../../src/http/even-time.ts';

const REAL = paceOf(readConfig({}));

/** Milliseconds until it answers. */
async function durationOf(work: Promise<unknown>): Promise<number> {
  const from = performance.now();
  await evenly(work, REAL).catch(() => {});
  return performance.now() - from;
}

t.test('what is done at once answers no sooner than what takes a while', async (t) => {
  t.equal(await evenly(Promise.resolve('done'), REAL), 'done');
  // Timers are exact to a millisecond.
  t.ok((await durationOf(Promise.resolve())) >= 39);
  t.ok((await durationOf(sleep(10))) >= 39);
});

t.test('what takes longer is not held up', async (t) => {
  const { promise: work, resolve: finish } = Promise.withResolvers<string>();
  let isAnswered = false;
  const answer = evenly(work, { ...REAL, answerFloor: 10 }).then((result) => {
    isAnswered = true;
    return result;
  });
  await sleep(20);
  t.equal(isAnswered, false, 'it waits for the work');
  finish('done');
  await nextTurn();
  t.equal(isAnswered, true, 'and for nothing else');
  t.equal(await answer, 'done');
});

t.test('a fault is told, and is no refusal that could be timed', async (t) => {
  await t.rejects(evenly(Promise.reject(new Error('down')), REAL), { message: 'down' });
});
