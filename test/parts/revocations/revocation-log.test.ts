import t from 'tap';
import { RevocationLog } from '../../../src/parts/revocations/revocation-log.ts';

const NOW = 1_800_000_000_000;
const LIFE = 960_000;
const never = new AbortController().signal;

function logs() {
  const state = { uptime: 0 };
  const uptime = () => state.uptime;
  return { state, log: new RevocationLog(uptime), other: new RevocationLog(uptime) };
}

t.test('who comes back to the same node gets exactly what came later', async (t) => {
  const { log } = logs();
  log.add({ sid: 'a' }, NOW);
  const cursor = log.cursor(NOW);
  t.same(log.after(cursor, NOW), []);
  log.add({ sub: 'ada', ver: 3 }, NOW);
  log.add({ sid: 'b' }, NOW - 600_000);
  t.same(log.after(cursor, NOW), [{ sub: 'ada', ver: 3 }, { sid: 'b' }]);
  t.same(log.all(), [{ sid: 'a' }, { sub: 'ada', ver: 3 }, { sid: 'b' }]);
  t.same(log.after(log.cursor(NOW), NOW + 3_600_000), [], 'whatever the clock says');
});

t.test('who comes from another node gets the last half minute again', async (t) => {
  const { log, other } = logs();
  for (const [sid, at] of [
    ['old', NOW - 30_001],
    ['overlap', NOW - 30_000],
    ['new', NOW + 10],
  ] as const)
    log.add({ sid }, at);
  const cursor = other.cursor(NOW);
  t.same(log.after(cursor, NOW + 1_000), [{ sid: 'overlap' }, { sid: 'new' }]);
  t.ok(log.after(cursor, NOW - 5_000), 'clocks differ by seconds');
  t.equal(log.after(cursor, NOW - 5_001), undefined, 'the other clock was far ahead');
  t.ok(log.after(cursor, NOW + LIFE - 30_000));
  t.equal(log.after(cursor, NOW + LIFE - 29_999), undefined, 'too long ago');
});

t.test('a cursor that no node gave gets the whole', async (t) => {
  const { log } = logs();
  log.add({ sid: 'a' }, NOW);
  const [node, count, at] = log.cursor(NOW).split('.') as [string, string, string];
  const bad = [
    '',
    'x',
    `${node}.${count}`,
    `${node}.-1.${at}`,
    `${node}.1e9.${at}`,
    `.${count}.${at}`,
  ];
  for (const cursor of bad) t.equal(log.after(cursor, NOW), undefined, cursor);
  t.same(log.after(`${node}.99.${NOW}`, NOW), [{ sid: 'a' }], 'more than there is: by the time');
});

t.test('what concerns no token any more is dropped, and cursors stay good', async (t) => {
  const { log, state } = logs();
  const begin = log.cursor(NOW);
  log.add({ sid: 'a' }, NOW);
  state.uptime = 1_000;
  log.add({ sid: 'b' }, NOW + 1_000);
  const cursor = log.cursor(NOW + 1_000);
  state.uptime = LIFE - 1;
  log.forget();
  t.equal(log.all().length, 2);
  state.uptime = LIFE;
  log.forget();
  t.same(log.all(), [{ sid: 'b' }]);
  t.same(log.after(begin, NOW), [{ sid: 'b' }]);
  state.uptime = LIFE + 1_000;
  log.forget();
  log.add({ sid: 'c' }, NOW + LIFE);
  t.same(log.after(cursor, NOW), [{ sid: 'c' }]);
});

t.test('who waits hears of many at once, and is not kept for ever', async (t) => {
  const { log } = logs();
  const waiting = log.news(60_000, never);
  t.equal(log.waiting, 1);
  for (const sid of ['a', 'b', 'c']) log.add({ sid }, NOW);
  t.equal(log.waiting, 1, 'there may be more in a moment');
  await waiting;
  t.equal(log.waiting, 0);
  await log.news(1, never);
  const gone = new AbortController();
  const aborted = log.news(60_000, gone.signal);
  gone.abort();
  await aborted;
  await log.news(60_000, gone.signal);
  const last = log.news(60_000, never);
  log.release();
  await last;
  t.equal(log.waiting, 0);
});
