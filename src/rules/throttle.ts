import type { Bucket } from '../schemas/user.ts';
import { fingerprint } from './fingerprint.ts';

/** What is guessed; each is counted by itself, and success with one forgives nothing of another. */
export type Factor = 'password' | 'totp' | 'recovery';

/** Where a guess comes from: a device that its token proves, a network prefix, or a session that is signed in. */
export type Place = { device: string } | { prefix: string } | { session: string };

/** A budget, and how many failures it forgives before waits begin. */
export interface Allowance {
  key: string;
  free: number;
}

/** Milliseconds. */
const FIRST_WAIT = 30_000;
const MAX_WAIT = 900_000;
const FORGOTTEN_AFTER = 86_400_000;
/** A check that began this long ago ended with its node. */
const ABANDONED_AFTER = 60_000;

const FREE_PER_PLACE = 5;
const FREE_PER_ACCOUNT = 100;

/**
 * Strangers come from many places: only so many are kept, and none is dropped while its wait runs, or its guess is
 * being checked. What they guess together counts for the account.
 */
const MAX_PREFIXES = 40;
/**
 * Of devices, and of sessions, so many at a time have counts of their own, which nothing pushes out: whoever
 * holds more device tokens than that would guess for ever. The others are counted as strangers are.
 */
const MAX_KNOWN = 40;

/**
 * The budgets that a guess asks for. A known device and a signed-in session have their own, which no stranger
 * can use up.
 */
export function allowancesOf(factor: Factor, place: Place): Allowance[] {
  if ('device' in place)
    return [{ key: `${factor} device ${fingerprint(place.device)}`, free: FREE_PER_PLACE }];
  if ('session' in place)
    return [{ key: `${factor} session ${place.session}`, free: FREE_PER_PLACE }];
  return strangers(factor, fingerprint(place.prefix));
}

const strangers = (factor: Factor, id: string): Allowance[] => [
  { key: `${factor} all`, free: FREE_PER_ACCOUNT },
  { key: `${factor} net ${id}`, free: FREE_PER_PLACE },
];

/** How long the next guess has to wait after this many failures (ms): nothing, then 30 s, doubling up to 15 min. */
export const waitAfter = (failures: number, free: number): number =>
  failures < free ? 0 : Math.min(MAX_WAIT, FIRST_WAIT * 2 ** (failures - free));

const emptyBucket = (key: string): Bucket => ({ key, failures: 0, failed_at: 0, pending: [] });

/** A clock that was set back must not make anybody wait for the time that it had shown. */
const elapsed = (since: number, now: number): number => Math.abs(now - since);

const isInUse = ({ failures, failed_at, pending }: Bucket, now: number): boolean =>
  pending.length > 0 || (failures > 0 && elapsed(failed_at, now) < FORGOTTEN_AFTER);

/** Nobody knows any more whether an abandoned guess was wrong: it counts, or whoever can make a check fail guesses for nothing. */
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

/** How long a place still has to wait (ms); below zero, for how long it has waited enough. */
const waitLeft = ({ failures, failed_at, pending }: Bucket, now: number): number =>
  pending.length > 0
    ? Number.POSITIVE_INFINITY
    : waitAfter(failures, FREE_PER_PLACE) - elapsed(failed_at, now);

const kindOf = ({ key }: Pick<Bucket, 'key'>) => key.split(' ', 2)[1];

const prefixesIn = (buckets: Bucket[]) => buckets.filter((bucket) => kindOf(bucket) === 'net');

/** What is in use; of too many prefixes those go whose wait ended first. Nothing else does. */
function withoutUnused(buckets: Bucket[], now: number): Bucket[] {
  const inUse = buckets
    .map((bucket) => withoutAbandoned(bucket, now))
    .filter((bucket) => isInUse(bucket, now));
  const dropped = prefixesIn(inUse)
    // Two that are infinite have no difference.
    .sort((a, b) => waitLeft(b, now) - waitLeft(a, now) || 0)
    .slice(MAX_PREFIXES);
  return inUse.filter((bucket) => !dropped.includes(bucket));
}

/** A prefix that comes when all the others have to wait has no count of its own, only the account's. */
function allowancesOfStranger(throttle: Bucket[], wanted: Allowance[], now: number): Allowance[] {
  const [all, own] = wanted as [Allowance, Allowance];
  const prefixes = prefixesIn(throttle);
  const isFull =
    prefixes.length >= MAX_PREFIXES &&
    prefixes.every((bucket) => bucket.key !== own.key && waitLeft(bucket, now) > 0);
  return isFull ? [all] : wanted;
}

/** The budgets that there are for a guess: a device or session that finds no room is a place like a stranger's. */
function allowancesIn(throttle: Bucket[], wanted: Allowance[], now: number): Allowance[] {
  const [own, ...more] = wanted as [Allowance, ...Allowance[]];
  if (more.length > 0) return allowancesOfStranger(throttle, wanted, now);
  if (throttle.some(({ key }) => key === own.key)) return wanted;
  const taken = throttle.filter((bucket) => kindOf(bucket) === kindOf(own)).length;
  if (taken < MAX_KNOWN) return wanted;
  const [factor, , id] = own.key.split(' ');
  return allowancesOfStranger(throttle, strangers(factor as Factor, id as string), now);
}

function withBucket(buckets: Bucket[], key: string, update: (bucket: Bucket) => Bucket): Bucket[] {
  const others = buckets.filter((bucket) => bucket.key !== key);
  const bucket = buckets.find((candidate) => candidate.key === key) ?? emptyBucket(key);
  return [...others, update(bucket)];
}

export type Admission =
  /** `allowances`: what the guess has a place in, and gives back. */
  | { outcome: 'admitted'; allowances: Allowance[] }
  /** The budget is taken by guesses that are being checked: it may be free in a moment. */
  | { outcome: 'busy' }
  /** `wait`: milliseconds. */
  | { outcome: 'throttled'; wait: number };

/** Takes a place in each of the budgets, before anything is checked: so parallel guesses cannot exceed them. */
export function admit(
  before: Bucket[],
  wanted: Allowance[],
  now: number,
): { throttle: Bucket[]; result: Admission } {
  const throttle = withoutUnused(before, now);
  const allowances = allowancesIn(throttle, wanted, now);
  let busy = false;
  for (const { key, free } of allowances) {
    const { failures, failed_at, pending } =
      throttle.find((bucket) => bucket.key === key) ?? emptyBucket(key);
    const wait = waitAfter(failures, free) - elapsed(failed_at, now);
    if (wait > 0) return { throttle: before, result: { outcome: 'throttled', wait } };
    busy ||= pending.length >= Math.max(1, free - failures);
  }
  if (busy) return { throttle: before, result: { outcome: 'busy' } };
  const taken = allowances.reduce(
    (buckets, { key }) =>
      withBucket(buckets, key, (bucket) => ({ ...bucket, pending: [...bucket.pending, now] })),
    throttle,
  );
  return { throttle: withoutUnused(taken, now), result: { outcome: 'admitted', allowances } };
}

export type Verdict = 'right' | 'wrong' | 'unchecked';

/**
 * Gives the places back. A wrong guess counts in every budget. A right one clears its own place, but not the
 * account's: others may still be guessing.
 */
export function withGuessSettled(
  before: Bucket[],
  allowances: Allowance[],
  { began, verdict, now }: { began: number; verdict: Verdict; now: number },
): Bucket[] {
  const settled = allowances.reduce(
    (buckets, { key, free }) =>
      withBucket(buckets, key, (bucket) => {
        const place = bucket.pending.indexOf(began);
        const pending = bucket.pending.filter((_, index) => index !== place);
        if (verdict === 'wrong')
          return { ...bucket, pending, failures: bucket.failures + 1, failed_at: now };
        const cleared = verdict === 'right' && free === FREE_PER_PLACE;
        return { ...bucket, pending, failures: cleared ? 0 : bucket.failures };
      }),
    before,
  );
  return withoutUnused(settled, now);
}

/** Without what was counted of guesses at this factor. */
export const withoutFailures = (buckets: Bucket[], factor: Factor): Bucket[] =>
  buckets.filter(({ key }) => !key.startsWith(`${factor} `));
