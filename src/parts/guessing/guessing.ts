import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Budget,
  budgetOf,
  type Guessed,
  keyOf,
  type Place,
  type PlaceBudget,
} from '../../rules/budget.ts';
import type { Clock } from '../../rules/clock.ts';
import { Refusal } from '../../rules/refusal.ts';
import { type Admission, type Verdict, withGuessSettled } from '../../rules/throttle.ts';
import type { User } from '../../schemas/user.ts';
import type { Users } from '../storage/users.ts';
import type { Decoy } from './decoys.ts';
import { type Ledger, ledgerOf, type Subject } from './ledger.ts';

/** Waiting for room in a budget (ms): the pause between two tries, its maximum when many wait, and the time to give up. */
const PAUSE = 25;
const MAX_PAUSE = 1_000;
const PATIENCE = 10_000;
/** So many may try at the usual pause. */
const FEW = 10;
/** Guesses that may wait for their turn at once, on one node. */
const MAX_WAITING = 1_000;

/** A guess, and how long to try for it. `signal`: aborted when the client has gone. */
interface Guess {
  factor: Guessed;
  place: Place;
  signal: AbortSignal;
}

/** A guess that has a place in each of its budgets, and must give it back. */
export interface Admitted {
  /** As it was written. */
  row: User;
  /** The user with the guess counted: for a caller that writes the row anyway. */
  withSettled(user: User, verdict: Verdict): User;
  /** Counts the guess in a write of its own. */
  settle(verdict: Verdict): Promise<void>;
}

/** The refusal of a guess that was not admitted. `user`: the ID of the account, if there is one. */
export const throttled = (
  admission: Exclude<Admission, { outcome: 'admitted' }>,
  user: string | undefined,
): Refusal =>
  new Refusal('throttled', {
    user,
    retryAfter: Math.ceil(('wait' in admission ? admission.wait : 1_000) / 1_000),
  });

/** The result of a check. If the check itself fails, the guess is given back uncounted. */
export const checked = <T>(guess: Admitted, check: Promise<T>): Promise<T> =>
  check.catch(async (error) => {
    await guess.settle('unchecked');
    throw error;
  });

/**
 * Counts guesses: those at a known account in its row, those at an unknown address in one of the decoy rows. Both get the
 * same answers after the same work, a write before the check and a write after it.
 */
export class Guessing {
  readonly #users: Users;
  readonly #clock: Clock;
  readonly #decoyOf: (emailKey: string) => Decoy;
  /** The last guess in the queue of each account and place. Only the first in a queue reads the row. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #waiting = 0;
  #trying = 0;

  constructor(users: Users, clock: Clock, decoyOf: (emailKey: string) => Decoy) {
    this.#users = users;
    this.#clock = clock;
    this.#decoyOf = decoyOf;
  }

  /** Whose password is guessed with this address. One query, whether there is an account or not. */
  async subjectAt(emailKey: string): Promise<Subject> {
    const { id, address } = this.#decoyOf(emailKey);
    const row = await this.#users.findByEmailOrDecoy(emailKey, id);
    return row.kind === 'decoy' ? { row, address } : { row };
  }

  /**
   * Admits a guess before it is checked. Refuses with `throttled` while the place or the account has to wait, even a
   * right guess; with `overloaded` if the budget stays in use for 10 s, too many wait, or the client has gone.
   */
  async enter(subject: Subject, { factor, place, signal }: Guess): Promise<Admitted> {
    const wanted = budgetOf(factor, place);
    const ledger = ledgerOf(this.#users, subject, place);
    const { row, address } = subject;
    const account = address === undefined ? row.id : undefined;
    const queue = `${account ?? address} ${keyOf(wanted)}`;
    const until = Date.now() + PATIENCE;
    const { began, budgets } = await this.#inTurn(queue, () =>
      this.#admitted(ledger, wanted, { until, signal, account }),
    );
    const settlement = (verdict: Verdict) => ({ began, verdict, now: this.#clock() });
    return {
      row: ledger.row,
      withSettled: (user, verdict) => ({
        ...user,
        throttle: withGuessSettled(user.throttle, budgets, settlement(verdict)),
      }),
      settle: (verdict) => ledger.settle(budgets, settlement(verdict)),
    };
  }

  /** Takes as long as a change of a user's row, and changes nothing: for an address that nothing is done for. */
  async touchDecoy(emailKey: string): Promise<void> {
    await this.#users.change(this.#decoyOf(emailKey).id, (row) => ({
      user: { ...row, throttle: [...row.throttle] },
      result: undefined,
    }));
  }

  /** Runs the work of each queue one after another. Work for an empty queue is never turned away. */
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

  /** When the guess was admitted (ms), and its budgets. While other guesses use up a budget, tries again until `until`. */
  async #admitted(
    ledger: Ledger,
    wanted: PlaceBudget,
    { until, signal, account }: { until: number; signal: AbortSignal; account: string | undefined },
  ): Promise<{ began: number; budgets: Budget[] }> {
    this.#trying += 1;
    try {
      while (Date.now() < until && !signal.aborted) {
        const now = this.#clock();
        const admission = await ledger.admit(wanted, now);
        if (admission.outcome === 'admitted') return { began: now, budgets: admission.budgets };
        if (admission.outcome === 'throttled') throw throttled(admission, account);
        // The more guesses try, the longer each pauses, so that the database has no more to do.
        const pause = PAUSE * Math.max(1, this.#trying / FEW);
        await sleep(Math.min(MAX_PAUSE, pause) * (1 + Math.random()));
      }
    } finally {
      this.#trying -= 1;
    }
    throw new Refusal('overloaded', { retryAfter: 1 });
  }
}
