import t from 'tap';
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

t.test(
  'a flood of 100,000 addresses keeps the row bounded, and washes no victim away',
  async (t) => {
    let row = after([], 'victim', failed(2, NOW - 3_600_000));
    row = after(row, 'checked', [bucket('password all', 0, [NOW - 1])]);
    for (let address = 0; address < 100_000; address += 1) {
      row = after(row, `a${address}`, [bucket('password all', 0, [NOW])]);
      row = after(row, `a${address}`, failed(1, NOW + address));
    }
    t.ok(row.length <= 128, `${row.length} buckets`);
    t.ok(JSON.stringify(row).length < 16_000);
    t.match(bucketsAt(row, 'victim'), failed(2, NOW - 3_600_000));
    t.match(
      bucketsAt(row, 'checked'),
      [{ pending: [NOW - 1] }],
      'a guess that is being checked stays',
    );
    t.same(bucketsAt(row, 'a99999'), failed(1, NOW + 99_999), 'the newest stay too');
    t.same(bucketsAt(row, 'a0'), [], 'the oldest went');
  },
);

t.test(
  'a row has room for 64 addresses with as many failures, and then the oldest goes',
  async (t) => {
    // 64 in each of 1,024 rows: the figure in .github/THREATS.md.
    for (const failures of [1, 5]) {
      let row = after([], 'victim', failed(failures));
      for (let address = 1; address < 64; address += 1)
        row = after(row, `a${address}`, failed(failures, NOW + address));
      t.same(bucketsAt(row, 'victim'), failed(failures), `${failures} failures`);
      row = after(row, 'a64', failed(failures, NOW + 64));
      t.same(bucketsAt(row, 'victim'), []);
    }
  },
);

t.test('an address is always counted, however heavy the others are', async (t) => {
  let row: Bucket[] = [];
  for (let address = 0; address < 64; address += 1) row = after(row, `a${address}`, failed(9));
  row = after(row, 'new', failed(1));
  t.same(bucketsAt(row, 'new'), failed(1));
  t.equal(row.length, 128);
  const many = Array.from({ length: 130 }, (_, net) => bucket(`password net ${net}`, 1));
  t.equal(after(row, 'wide', many).length, 130, 'even if it is guessed at from many networks');
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
