import t from 'tap';
import { withTry } from '../../src/rules/tries.ts';
import { NOW } from './samples.ts';

const until = NOW + 1;
const rules = { until, now: NOW, tries: 2, most: 3 };
type List = Parameters<typeof withTry>[0];
const after = (list: List, ...ids: string[]) =>
  ids.reduce<List | undefined>((kept, id) => kept && withTry(kept, { id, ...rules }), list);
const idsOf = (list: List | undefined) => list?.map(({ id }) => id);

t.test('each has its tries, and the one that was tried comes first', async (t) => {
  t.same(after([], 'a', 'b', 'a'), [
    { id: 'a', tries: 2, until },
    { id: 'b', tries: 1, until },
  ]);
  t.equal(after([], 'a', 'b', 'a', 'a'), undefined);
});

t.test('those with the fewest tries go, but never the one that is tried now', async (t) => {
  t.same(idsOf(after([], 'a', 'a', 'b', 'c', 'd', 'e')), ['e', 'a', 'd']);
  t.same(idsOf(after([], 'a', 'a', 'b', 'b', 'c', 'c', 'd')), ['d', 'c', 'b']);
  t.equal(after([], 'a', 'a', 'b', 'b', 'c', 'c', 'd', 'd', 'd'), undefined);
});

t.test('expired ones go, and members of a newer version stay', async (t) => {
  const list = [
    { id: 'old', tries: 2, until: NOW },
    { id: 'a', tries: 1, until, later: true },
  ];
  t.same(after(list, 'a'), [{ id: 'a', tries: 2, until, later: true }]);
});
