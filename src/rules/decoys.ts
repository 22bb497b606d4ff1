import type { Bucket } from '../schemas/user.ts';
import { withoutForgotten } from './throttle.ts';

/** Buckets in one decoy row: about 35 KB. With 1,024 rows, some 160,000 addresses are counted at once. */
const MAX_BUCKETS = 320;

/** In a decoy row a bucket's key begins with the fingerprint of its address, which has no space. */
const addressOf = ({ key }: Bucket): string => key.slice(0, key.indexOf(' '));

/** The buckets of one unknown address, as the row of a user would have them. */
export const bucketsAt = (row: Bucket[], address: string): Bucket[] =>
  row
    .filter((bucket) => addressOf(bucket) === address)
    .map((bucket) => ({ ...bucket, key: bucket.key.slice(address.length + 1) }));

/** What would be lost: first whether a guess is being checked, then how many failed, then how recently. */
const weightOf = (buckets: Bucket[]): [number, number, number] => [
  Math.min(1, Math.max(...buckets.map(({ pending }) => pending.length))),
  Math.max(...buckets.map(({ failures }) => failures)),
  Math.max(...buckets.map(({ failed_at }) => failed_at)),
];

const byWeight = (a: Bucket[], b: Bucket[]): number => {
  const [left, right] = [weightOf(a), weightOf(b)];
  const differs = left.findIndex((value, index) => value !== right[index]);
  return differs < 0 ? 0 : (right[differs] as number) - (left[differs] as number);
};

/** What one address has after a guess, at `now` (ms). */
interface Counted {
  address: string;
  buckets: Bucket[];
  now: number;
}

/**
 * The row with these buckets for this address. What is forgotten goes, of all addresses. When buckets are too many, whole
 * addresses go, those with the fewest failures first: a flood of addresses with a failure or two does not wash away one
 * that has to wait.
 */
export function withBucketsAt(row: Bucket[], { address, buckets, now }: Counted): Bucket[] {
  const own = buckets.map((bucket) => ({ ...bucket, key: `${address} ${bucket.key}` }));
  const others = [...Map.groupBy(withoutForgotten(row, now), addressOf)]
    .filter(([other]) => other !== address)
    .map(([, theirs]) => theirs)
    .sort(byWeight);
  let room = MAX_BUCKETS - own.length;
  const kept = others.filter((theirs) => {
    room -= theirs.length;
    return room >= 0;
  });
  return [...kept.flat(), ...own];
}
