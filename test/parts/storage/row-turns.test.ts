import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { RowTurns } from '../../../src/parts/storage/row-turns.ts';

const cause = Object.assign(new Error('lock timeout'), { code: '55P03' });
const timeout = new Error('replace', { cause });

t.test('writes of one row take turns, and other rows do not wait', async (t) => {
  const turns = new RowTurns();
  let running = 0;
  let most = 0;
  const write = async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(1);
    running -= 1;
    return 'written';
  };
  const held = Promise.withResolvers<string>();
  const stuck = turns.run('locked', () => held.promise);
  const answers = await Promise.all(Array.from({ length: 10 }, () => turns.run('free', write)));
  t.same(new Set(answers), new Set(['written']));
  t.equal(most, 1);
  held.resolve('at last');
  t.equal(await stuck, 'at last');
});

t.test('writes that wait behind a timeout share its fault; later ones try again', async (t) => {
  const turns = new RowTurns();
  const first = Promise.withResolvers<string>();
  let tried = 0;
  const write = async () => {
    tried += 1;
    return 'written';
  };
  const all = Promise.allSettled([
    turns.run('row', () => first.promise),
    turns.run('row', write),
    turns.run('row', write),
  ]);
  first.reject(timeout);
  for (const answer of await all) t.match(answer, { status: 'rejected', reason: timeout });
  t.equal(tried, 0, 'nothing was tried');
  t.equal(await turns.run('row', write), 'written');
});

t.test('any other fault affects one write only', async (t) => {
  const turns = new RowTurns();
  const [first, second] = await Promise.allSettled([
    turns.run('row', () => Promise.reject(new Error('connection lost'))),
    turns.run('row', async () => 'written'),
  ]);
  t.match(first, { status: 'rejected' });
  t.match(second, { status: 'fulfilled', value: 'written' });
});
