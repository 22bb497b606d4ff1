import { Refusal } from '../refusal.ts';

export interface HashQueueLimits {
  /** Hashes at once. */
  concurrency: number;
  /** Hashes that may wait. */
  waiting: number;
}

/** Seconds. */
const RETRY_AFTER = 2;

/** Admits slow, memory-hungry work: so much at once, so much waiting, the rest is refused with `overloaded`. */
export class HashQueue {
  readonly #limits: HashQueueLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** How much is waiting. */
  get length(): number {
    return this.#waiting.length;
  }

  constructor(limits: HashQueueLimits) {
    this.#limits = limits;
  }

  /** Work whose `signal` is aborted while it waits is dropped. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running < this.#limits.concurrency) this.#running += 1;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      // The next one takes over the place: the number of running ones stays.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new Refusal('overloaded', { retryAfter: RETRY_AFTER });
    }
    const gone = () => new Refusal('overloaded', { reason: 'the client has gone' });
    if (signal?.aborted) throw gone();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(gone());
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(go);
    });
  }
}
