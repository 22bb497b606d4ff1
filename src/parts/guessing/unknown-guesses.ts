import { LRUCache } from 'lru-cache';
import type { Budget, PlaceBudget } from '../../rules/budget.ts';
import { type Admission, admit, type Verdict, withGuessSettled } from '../../rules/throttle.ts';
import type { Bucket } from '../../schemas/user.ts';

/** Buckets of unknown addresses kept in memory: about 25 MB. */
const MAX_UNKNOWN = 100_000;

/** `key` stands for an address. `nothing` takes as long as the others: it is asked for a known address. */
export type GuessQuestion =
  | { what: 'admit'; key: string; wanted: PlaceBudget; now: number }
  | { what: 'settle'; key: string; budgets: Budget[]; settlement: Settlement }
  | { what: 'nothing' };

/** How a guess ended. Milliseconds. */
export interface Settlement {
  began: number;
  verdict: Verdict;
  now: number;
}

/** `written`: whether a row would have been written. */
export interface GuessAnswer {
  admission?: Admission;
  written: boolean;
}

/**
 * Counts guesses at unknown addresses in memory. A node has one of these, in the primary process if there are workers:
 * otherwise a stranger who uses several connections could tell an unknown address by its larger budget.
 */
export class UnknownGuesses {
  readonly #buckets: LRUCache<string, Bucket[]>;

  constructor(max = MAX_UNKNOWN) {
    this.#buckets = new LRUCache({
      maxSize: max,
      sizeCalculation: (buckets) => buckets.length + 1,
    });
  }

  answer(question: GuessQuestion): GuessAnswer {
    if (question.what === 'nothing') return { written: false };
    const before = this.#buckets.get(question.key) ?? [];
    if (question.what === 'settle') {
      const after = withGuessSettled(before, question.budgets, question.settlement);
      this.#buckets.set(question.key, after);
      return { written: after !== before };
    }
    const { throttle, result } = admit(before, question.wanted, question.now);
    this.#buckets.set(question.key, throttle);
    return { admission: result, written: throttle !== before };
  }
}
