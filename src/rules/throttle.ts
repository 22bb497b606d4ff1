import type { Bucket } from '../schemas/user.ts';
import {
  type Budget,
  freeFailures,
  type Guessed,
  isClearedBySuccess,
  keyOf,
  type PlaceBudget,
  readKey,
} from './budget.ts';

/** Milliseconds. */
const FIRST_WAIT = 30_000;
const MAX_WAIT = 900_000;
const FORGOTTEN_AFTER = 86_400_000;
/** A check that is still open after this time was lost with its node. */
const ABANDONED_AFTER = 60_000;

/**
 * An attacker can use any number of networks, so the row keeps only this many. A network that still has to wait, or
 * has a guess being checked, is never dropped. All networks also share the account's budget.
 */
const MAX_NETWORKS = 40;
/**
 * This many devices, and this many sessions, have their own budget at a time, and are never dropped: otherwise the
 * holder of many device tokens could guess without end. The others share the budgets of strangers.
 */
const MAX_KNOWN = 40;

/** The wait before the next guess after this many failures (ms): none while they are free, then 30 s, doubling up to 15 min. */
export const waitAfter = (failures: number, free: number): number =>
  failures < free ? 0 : Math.min(MAX_WAIT, FIRST_WAIT * 2 ** (failures - free));

const bucketOf = (buckets: Bucket[], budget: Budget): Bucket => {
  const key = keyOf(budget);
  return (
    buckets.find((bucket) => bucket.key === key) ?? { key, failures: 0, failed_at: 0, pending: [] }
  );
};

const kindOf = ({ key }: Bucket): string => readKey(key).kind;

const networksIn = (buckets: Bucket[]) => buckets.filter((bucket) => kindOf(bucket) === 'net');

/** A clock that was set back must not make anyone wait longer. */
const elapsed = (since: number, now: number): number => Math.abs(now - since);

const isInUse = ({ failures, failed_at, pending }: Bucket, now: number): boolean =>
  pending.length > 0 || (failures > 0 && elapsed(failed_at, now) < FORGOTTEN_AFTER);

/** Counts abandoned guesses as failures. Otherwise an attacker who can make a check fail would guess for free. */
function withoutAbandoned(bucket: Bucket, now: number): Bucket {
  const isAbandoned = (began: number) => elapsed(began, now) >= ABANDONED_AFTER;
  const abandoned = bucket.pending.filter(isAbandoned);
  return {
    ...bucket,
    failures: bucket.failures + abandoned.length,
    failed_at: Math.max(bucket.failed_at, ...abandoned),
    pending: bucket.pending.filter((began) => !isAbandoned(began)),
  };
}

/** How long a network still has to wait (ms). Negative: how long ago its wait ended. */
function waitLeft(bucket: Bucket, now: number): number {
  const { failures, failed_at, pending } = bucket;
  if (pending.length > 0) return Number.POSITIVE_INFINITY;
  return waitAfter(failures, freeFailures({ kind: 'net' })) - elapsed(failed_at, now);
}

/** Drops the buckets whose failures are forgotten, and counts abandoned guesses. `now`: milliseconds. */
export const withoutForgotten = (buckets: Bucket[], now: number): Bucket[] =>
  buckets.map((bucket) => withoutAbandoned(bucket, now)).filter((bucket) => isInUse(bucket, now));

/** Drops unused buckets, and, if there are too many networks, those whose wait ended first. */
function withoutUnused(buckets: Bucket[], now: number): Bucket[] {
  const inUse = withoutForgotten(buckets, now);
  const dropped = networksIn(inUse)
    // Infinity minus Infinity is NaN.
    .sort((a, b) => waitLeft(b, now) - waitLeft(a, now) || 0)
    .slice(MAX_NETWORKS);
  return inUse.filter((bucket) => !dropped.includes(bucket));
}

/** A stranger uses the account's budget and the network's. A new network has only the first while all the others wait. */
function budgetsOfStranger(throttle: Bucket[], { factor, id }: PlaceBudget, now: number): Budget[] {
  const all: Budget = { factor, kind: 'all' };
  const own: Budget = { factor, kind: 'net', id };
  const networks = networksIn(throttle);
  const isFull =
    networks.length >= MAX_NETWORKS &&
    networks.every((bucket) => bucket.key !== keyOf(own) && waitLeft(bucket, now) > 0);
  return isFull ? [all] : [all, own];
}

/** The budgets that a guess from this place uses. A device or session counts as a stranger when there are too many. */
function budgetsFor(throttle: Bucket[], place: PlaceBudget, now: number): Budget[] {
  if (place.kind === 'net') return budgetsOfStranger(throttle, place, now);
  const ofItsKind = throttle.filter((bucket) => kindOf(bucket) === place.kind);
  const hasRoom = ofItsKind.length < MAX_KNOWN || ofItsKind.some(({ key }) => key === keyOf(place));
  return hasRoom ? [place] : budgetsOfStranger(throttle, place, now);
}

function withBucket(
  buckets: Bucket[],
  budget: Budget,
  update: (bucket: Bucket) => Bucket,
): Bucket[] {
  const bucket = bucketOf(buckets, budget);
  return [...buckets.filter(({ key }) => key !== bucket.key), update(bucket)];
}

export type Admission =
  /** `budgets`: those in which the guess now has a place. */
  | { outcome: 'admitted'; budgets: Budget[] }
  /** Guesses that are being checked use up the budget: it may be free in a moment. */
  | { outcome: 'busy' }
  /** `wait`: milliseconds. */
  | { outcome: 'throttled'; wait: number };

/** Takes a place in each budget before the guess is checked, so that parallel guesses cannot exceed it. */
export function admit(
  before: Bucket[],
  place: PlaceBudget,
  now: number,
): { throttle: Bucket[]; result: Admission } {
  const throttle = withoutUnused(before, now);
  const budgets = budgetsFor(throttle, place, now);
  let busy = false;
  for (const budget of budgets) {
    const { failures, failed_at, pending } = bucketOf(throttle, budget);
    const free = freeFailures(budget);
    const wait = waitAfter(failures, free) - elapsed(failed_at, now);
    if (wait > 0) return { throttle: before, result: { outcome: 'throttled', wait } };
    busy ||= pending.length >= Math.max(1, free - failures);
  }
  if (busy) return { throttle: before, result: { outcome: 'busy' } };
  const taken = budgets.reduce(
    (buckets, budget) =>
      withBucket(buckets, budget, (bucket) => ({ ...bucket, pending: [...bucket.pending, now] })),
    throttle,
  );
  return { throttle: withoutUnused(taken, now), result: { outcome: 'admitted', budgets } };
}

/** `unchecked`: the check itself failed, and says nothing about the guess. */
export type Verdict = 'right' | 'wrong' | 'unchecked';

/** Gives back the places that `admit` took. A wrong guess counts in every budget, a right one clears that of its place. */
export function withGuessSettled(
  before: Bucket[],
  budgets: Budget[],
  { began, verdict, now }: { began: number; verdict: Verdict; now: number },
): Bucket[] {
  const settled = budgets.reduce(
    (buckets, budget) =>
      withBucket(buckets, budget, (bucket) => {
        const index = bucket.pending.indexOf(began);
        const pending = bucket.pending.filter((_, other) => other !== index);
        if (verdict === 'wrong')
          return { ...bucket, pending, failures: bucket.failures + 1, failed_at: now };
        const isCleared = verdict === 'right' && isClearedBySuccess(budget);
        return { ...bucket, pending, failures: isCleared ? 0 : bucket.failures };
      }),
    before,
  );
  return withoutUnused(settled, now);
}

/** Without the counted guesses at this factor. */
export const withoutFailures = (buckets: Bucket[], factor: Guessed): Bucket[] =>
  buckets.filter(({ key }) => readKey(key).factor !== factor);
