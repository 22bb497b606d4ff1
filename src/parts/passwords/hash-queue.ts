import { Refusal } from '../../rules/refusal.ts';

export interface HashQueueLimits {
  /** Hashes computed at the same time. */
  concurrency: number;
  /** Hashes that may wait in each lane: this many for strangers, and this many for all others. */
  waiting: number;
  /** Called with each turn: how long it waited (ms). */
  waited?: (duration: number) => void;
}

export interface Turn {
  /** If aborted while the work waits, the work is dropped. */
  signal?: AbortSignal | undefined;
  /** The caller is unknown: no session, no known device, no token from a mail. */
  stranger?: boolean;
}

/** Seconds. */
const RETRY_AFTER = 2;

interface Lane {
  ofStrangers: boolean;
  waiting: (() => void)[];
}

/**
 * Limits slow, memory-hungry work: some runs, some waits, and the rest is refused with `overloaded`. Strangers wait in
 * their own lane, and the lanes are served alternately, so that any number of strangers cannot keep known users out.
 */
export class HashQueue {
  readonly #limits: HashQueueLimits;
  /** The first is the lane to serve next. */
  readonly #lanes: [Lane, Lane] = [
    { ofStrangers: false, waiting: [] },
    { ofStrangers: true, waiting: [] },
  ];
  #running = 0;

  /** Number of waiting hashes. */
  get length(): number {
    return this.#lanes[0].waiting.length + this.#lanes[1].waiting.length;
  }

  constructor(limits: HashQueueLimits) {
    this.#limits = limits;
  }

  /** Refuses with `overloaded` if the queue is full. Saves the caller the steps before the work. */
  assertRoom(turn: Turn): void {
    const isFull = this.#laneOf(turn).waiting.length >= this.#limits.waiting;
    if (isFull && this.#running >= this.#limits.concurrency)
      throw new Refusal('overloaded', { retryAfter: RETRY_AFTER });
  }

  async run<T>(work: () => Promise<T>, turn: Turn = {}): Promise<T> {
    const began = performance.now();
    if (this.#running < this.#limits.concurrency) this.#running += 1;
    else await this.#wait(turn);
    this.#limits.waited?.(performance.now() - began);
    try {
      return await work();
    } finally {
      // The next one takes this place, so `#running` does not change.
      const next = this.#next();
      if (next) next();
      else this.#running -= 1;
    }
  }

  #next(): (() => void) | undefined {
    const [lane, other] = this.#lanes;
    this.#lanes.reverse();
    return lane.waiting.shift() ?? other.waiting.shift();
  }

  #laneOf({ stranger = false }: Turn): Lane {
    return this.#lanes.find(({ ofStrangers }) => ofStrangers === stranger) as Lane;
  }

  #wait(turn: Turn): Promise<void> {
    this.assertRoom(turn);
    const { signal } = turn;
    const { waiting } = this.#laneOf(turn);
    const gone = () => new Refusal('overloaded', { reason: 'the client has disconnected' });
    if (signal?.aborted) throw gone();
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(gone());
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      waiting.push(go);
    });
  }
}
