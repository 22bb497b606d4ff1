import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../rules/clock.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import { Refusal } from '../../rules/refusal.ts';
import {
  type Admission,
  type Allowance,
  admit,
  allowancesOf,
  type Factor,
  type Place,
  type Verdict,
  withGuessSettled,
} from '../../rules/throttle.ts';
import type { Bucket, User } from '../../schemas/user.ts';
import type { Users } from '../storage/users.ts';

/** Milliseconds between two looks at a budget that others have taken, when few look and when many do; and how long to go on. */
const LOOK_AGAIN = 25;
const LOOK_SELDOM = 1_000;
const FEW = 10;
const PATIENCE = 10_000;
/** Guesses that may wait at once, on one node. */
const MAX_WAITING = 1_000;

/** What is kept of unknown addresses, in buckets: some 25 MB. */
const MAX_UNKNOWN = 100_000;

/** A guess that has its place in every budget, and has to give it back. */
export interface Admitted {
  /** For a check that writes the row anyway: the same, in the same write. */
  withSettled(user: User, verdict: Verdict): User;
  /** Counts the guess, in a write of its own. */
  settle(verdict: Verdict): Promise<void>;
}

/** What a guess gets that has no place in the budget of its account; `user` is undefined where there is none. */
export const throttled = (
  admission: Exclude<Admission, { outcome: 'admitted' }>,
  user: string | undefined,
): Refusal =>
  new Refusal('throttled', {
    user,
    retryAfter: Math.ceil(('wait' in admission ? admission.wait : 1_000) / 1_000),
  });

/** The result of a check. One that failed by itself says nothing about the guess, which is given back. */
export const checked = <T>(guess: Admitted, check: Promise<T>): Promise<T> =>
  check.catch(async (error) => {
    await guess.settle('unchecked');
    throw error;
  });

/** Where the buckets of one account stand. */
type Ledger = <T>(decide: (buckets: Bucket[]) => { throttle: Bucket[]; result: T }) => Promise<T>;

/**
 * Counts guesses, of known accounts in their row, of unknown addresses in memory: those get the same answers
 * after the same work, one write before the check and one after it.
 */
export class Guessing {
  readonly #users: Users;
  readonly #clock: Clock;
  readonly #unknown: LRUCache<string, Bucket[]>;
  /** For each account and place the last guess in the queue: only the first one looks at the budget. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #waiting = 0;
  #looking = 0;

  constructor(users: Users, clock: Clock, { maxUnknown = MAX_UNKNOWN } = {}) {
    this.#users = users;
    this.#clock = clock;
    this.#unknown = new LRUCache({
      maxSize: maxUnknown,
      sizeCalculation: (buckets) => buckets.length + 1,
    });
  }

  /**
   * Refuses with `throttled` while the place or the account has to wait, whatever the guess; with `overloaded`
   * when the budget is taken for too long, or when the client (`signal`) has gone.
   */
  async enter(
    subject: { user: User } | { unknown: string },
    factor: Factor,
    place: Place,
    signal: AbortSignal,
  ): Promise<Admitted> {
    const wanted = allowancesOf(factor, place);
    const isKnown = 'user' in subject;
    const account = isKnown ? subject.user.id : undefined;
    const ledger = isKnown ? this.#rowOf(subject.user) : this.#memoryOf(subject.unknown);
    const queue = `${isKnown ? subject.user.id : subject.unknown} ${wanted.at(-1)?.key}`;
    const until = Date.now() + PATIENCE;
    const { began, allowances } = await this.#inTurn(queue, () =>
      this.#admitted(ledger, wanted, { until, signal, account }),
    );
    const after = (buckets: Bucket[], verdict: Verdict) =>
      withGuessSettled(buckets, allowances, { began, verdict, now: this.#clock() });
    return {
      withSettled: (user, verdict) => ({ ...user, throttle: after(user.throttle, verdict) }),
      settle: (verdict) =>
        ledger((buckets) => ({ throttle: after(buckets, verdict), result: undefined })),
    };
  }

  /** One after another in each queue. Whoever finds nobody in it is never turned away. */
  async #inTurn<T>(queue: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(queue);
    const waits = before === undefined ? 0 : 1;
    if (waits > 0 && this.#waiting >= MAX_WAITING) {
      throw new Refusal('overloaded', { retryAfter: 1 });
    }
    this.#waiting += waits;
    const turn = (before ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => undefined);
    this.#queues.set(queue, ended);
    try {
      return await turn;
    } finally {
      this.#waiting -= waits;
      if (this.#queues.get(queue) === ended) this.#queues.delete(queue);
    }
  }

  /** When the guess was admitted (ms), and to what: waits for guesses that are being checked, and that may free the budget. */
  async #admitted(
    ledger: Ledger,
    wanted: Allowance[],
    { until, signal, account }: { until: number; signal: AbortSignal; account: string | undefined },
  ): Promise<{ began: number; allowances: Allowance[] }> {
    this.#looking += 1;
    try {
      while (Date.now() < until && !signal.aborted) {
        const now = this.#clock();
        const admission = await ledger<Admission>((buckets) => admit(buckets, wanted, now));
        if (admission.outcome === 'admitted')
          return { began: now, allowances: admission.allowances };
        if (admission.outcome === 'throttled') throw throttled(admission, account);
        // However many look from however many places, the database has the same to do.
        const pause = LOOK_AGAIN * Math.max(1, this.#looking / FEW);
        await sleep(Math.min(LOOK_SELDOM, pause) * (1 + Math.random()));
      }
    } finally {
      this.#looking -= 1;
    }
    throw new Refusal('overloaded', { retryAfter: 1 });
  }

  #rowOf({ id }: User): Ledger {
    return async (decide) => {
      const decided = await this.#users.change(id, (user) => {
        const { throttle, result } = decide(user.throttle);
        return {
          user: throttle === user.throttle ? user : { ...user, throttle },
          result: { result },
        };
      });
      // The account went meanwhile: nothing is left to guess.
      if (decided === undefined) throw new Refusal('invalid_credentials');
      return decided.result;
    };
  }

  #memoryOf(emailKey: string): Ledger {
    // An address may be long, and there may be many.
    const key = fingerprint(emailKey);
    return async (decide) => {
      const before = this.#unknown.get(key) ?? [];
      const { throttle, result } = decide(before);
      this.#unknown.set(key, throttle);
      await this.#users.writeDecoy(throttle !== before);
      return result;
    };
  }
}
