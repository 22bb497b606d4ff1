import t from 'tap';
import { type Letters, mayGo, withLetter } from '../../src/rules/letters.ts';
import { MINUTE, NOW } from './samples.ts';

/** A mailbox, and what a network that asks gets: whether a letter went. */
function mailbox() {
  let letters: Letters | undefined;
  return (network: string | undefined, now = NOW): boolean => {
    const goes = mayGo(letters, network, now);
    if (goes) letters = withLetter(letters, network, now);
    return goes;
  };
}
const times = (count: number) => Array.from({ length: count }, (_, index) => index);

t.test('a network that asks gets three letters at once, and takes none from others', async (t) => {
  const ask = mailbox();
  t.same(
    times(5).map(() => ask('stranger')),
    [true, true, true, false, false],
  );
  t.same(
    times(4).map(() => ask('owner')),
    [true, true, true, false],
  );
});

t.test('half of the letters are for networks that have not asked yet', async (t) => {
  const ask = mailbox();
  for (const network of ['a', 'b']) for (const _ of times(3)) ask(network);
  t.equal(ask('c'), true, 'the seventh');
  t.equal(ask('c'), false, 'but no second one');
});

t.test('any number of networks gets twelve letters at once', async (t) => {
  const ask = mailbox();
  t.equal(times(100).filter((network) => ask(String(network))).length, 12);
});

t.test(
  'when the last letter has expired one more goes, whoever asks: seventeen in an hour',
  async (t) => {
    const ask = mailbox();
    let sent = 0;
    for (let now = NOW; now < NOW + 60 * MINUTE; now += MINUTE / 2)
      for (const network of times(20)) sent += Number(ask(String(network), now));
    t.equal(sent, 17);

    const alone = mailbox();
    for (const _ of times(3)) alone('stranger');
    t.equal(alone('stranger', NOW + 10 * MINUTE - 1), false);
    t.equal(alone('stranger', NOW + 10 * MINUTE), true);
    t.equal(alone('stranger', NOW + 10 * MINUTE), false);
    t.equal(alone('stranger', NOW + 20 * MINUTE - 1), false);
  },
);

t.test('letters that nobody asks for: three an hour, and no more', async (t) => {
  const cause = mailbox();
  let sent = 0;
  for (let now = NOW; now < NOW + 60 * MINUTE; now += MINUTE) sent += Number(cause(undefined, now));
  t.equal(sent, 3);
  t.equal(cause(undefined, NOW + 60 * MINUTE), true);
});

t.test('a clock that was set back makes nobody wait longer', async (t) => {
  const ask = mailbox();
  for (const network of times(20)) ask(String(network));
  t.equal(ask('owner'), false);
  t.equal(ask('owner', NOW - 10 * MINUTE), true);
  t.equal(ask('owner', NOW - 70 * MINUTE), true);
});
