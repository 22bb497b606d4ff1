import { randomBytes } from 'node:crypto';
import t from 'tap';
import { decoyOf } from '../../src/parts/guessing/decoys.ts';
import { bucketsAt, withBucketsAt } from '../../src/rules/decoys.ts';
import type { Bucket } from '../../src/schemas/user.ts';
import { NOW } from './samples.ts';

const bucket = (
  key: string,
  failures: number,
  pending: number[] = [],
  failed_at = NOW,
): Bucket => ({
  key,
  failures,
  failed_at,
  pending,
});
const failed = (failures: number, failed_at = NOW) => [
  bucket('password all', failures, [], failed_at),
  bucket('password net n', failures, [], failed_at),
];

/** The row after a guess at this address. */
const after = (row: Bucket[], address: string, buckets: Bucket[], now = NOW) =>
  withBucketsAt(row, { address, buckets, now });

t.test('an address finds its own buckets again, and no others', async (t) => {
  const row = after(after([], 'a', failed(1)), 'ab', failed(2));
  t.same(bucketsAt(row, 'a'), failed(1));
  t.same(bucketsAt(row, 'ab'), failed(2));
  t.same(bucketsAt(row, 'b'), []);
  t.same(bucketsAt(after(row, 'a', failed(3)), 'a'), failed(3), 'the newer count');
  t.same(after(after(row, 'a', []), 'ab', []), [], 'nothing stays behind');
});

t.test('a flood into one row keeps it bounded, and the heavier addresses in it', async (t) => {
  let row = after([], 'victim', failed(2, NOW - 3_600_000));
  row = after(row, 'checked', [bucket('password all', 0, [NOW - 1])]);
  for (let address = 0; address < 3_000; address += 1) {
    row = after(row, `a${address}`, [bucket('password all', 0, [NOW])]);
    row = after(row, `a${address}`, failed(1, NOW + address));
  }
  t.ok(row.length <= 320, `${row.length} buckets`);
  t.ok(JSON.stringify(row).length < 40_000);
  t.match(bucketsAt(row, 'victim'), failed(2, NOW - 3_600_000));
  t.match(
    bucketsAt(row, 'checked'),
    [{ pending: [NOW - 1] }],
    'a guess that is being checked stays',
  );
  t.same(bucketsAt(row, 'a2999'), failed(1, NOW + 2_999), 'the newest stay too');
  t.same(bucketsAt(row, 'a0'), [], 'the oldest went');
});

t.test('100,000 addresses with a guess each wash away no other with one guess', async (t) => {
  for (const victim of ['ada@example.com', 'grace@example.com', 'alan@example.com']) {
    const key = randomBytes(32);
    const { id, address } = decoyOf(key, victim);
    let row = after([], address, failed(1));
    let beside = 0;
    for (let turn = 1; turn <= 100_000; turn += 1) {
      const other = decoyOf(key, `x${turn}@example.com`);
      if (other.id !== id) continue;
      beside += 1;
      row = after(row, other.address, failed(1, NOW + turn));
    }
    t.ok(beside > 40, `${beside} share the row`);
    t.same(bucketsAt(row, address), failed(1), 'the oldest of all');
  }
});

t.test('a row has room for 160 addresses with as many failures: the oldest goes', async (t) => {
  // 160 in each of 1,024 rows: the figure in .github/THREATS.md.
  for (const failures of [1, 5]) {
    let row = after([], 'victim', failed(failures));
    for (let address = 1; address < 160; address += 1)
      row = after(row, `a${address}`, failed(failures, NOW + address));
    t.same(bucketsAt(row, 'victim'), failed(failures), `${failures} failures`);
    row = after(row, 'a160', failed(failures, NOW + 160));
    t.same(bucketsAt(row, 'victim'), []);
  }
});

t.test('an address is always counted, however heavy the others are', async (t) => {
  let row: Bucket[] = [];
  for (let address = 0; address < 160; address += 1) row = after(row, `a${address}`, failed(9));
  row = after(row, 'new', failed(1));
  t.same(bucketsAt(row, 'new'), failed(1));
  t.equal(row.length, 320);
  const many = Array.from({ length: 330 }, (_, net) => bucket(`password net ${net}`, 1));
  t.equal(after(row, 'wide', many).length, 330, 'even if it is guessed at from many networks');
});

t.test(
  'what is older than a day makes room, also of addresses that nobody asks for again',
  async (t) => {
    const later = NOW + 86_400_000;
    let row: Bucket[] = [];
    for (let address = 0; address < 40; address += 1) {
      row = after(row, `old${address}`, failed(9));
      row = after(row, `lost${address}`, [bucket('password all', 0, [NOW])]);
    }
    row = after(row, 'new', failed(1, later), later);
    t.same(bucketsAt(row, 'old0'), [], 'its failures are forgotten');
    t.same(row.length, 2, 'and so are guesses that a node never finished');
    t.same(bucketsAt(row, 'new'), failed(1, later));
  },
);
