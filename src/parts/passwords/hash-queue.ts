import { Refusal } from '../../rules/refusal.ts';

export interface HashQueueLimits {
  /** Hashes at once. */
  concurrency: number;
  /** Hashes that may wait: of strangers, and as many of others. */
  waiting: number;
}

export interface Turn {
  /** Aborted while the work waits: it is dropped. */
  signal?: AbortSignal | undefined;
  /** Nobody that we know asks for it: neither his session nor his device is known, nor does he read a mailbox. */
  stranger?: boolean;
}

/** Seconds. */
const RETRY_AFTER = 2;

interface Lane {
  ofStrangers: boolean;
  waiting: (() => void)[];
}

/**
 * Admits slow, memory-hungry work: so much at once, so much waiting, the rest is refused with `overloaded`.
 * Strangers wait in a lane of their own, and both lanes are served in turn: however many they are, they keep
 * nobody out who is known.
 */
export class HashQueue {
  readonly #limits: HashQueueLimits;
  /** The lane whose turn is next comes first. */
  readonly #lanes: [Lane, Lane] = [
    { ofStrangers: false, waiting: [] },
    { ofStrangers: true, waiting: [] },
  ];
  #running = 0;

  /** How much is waiting. */
  get length(): number {
    return this.#lanes[0].waiting.length + this.#lanes[1].waiting.length;
  }

  constructor(limits: HashQueueLimits) {
    this.#limits = limits;
  }

  /** Refuses with `overloaded` when this turn would find no room: what comes before the work can be saved. */
  assertRoom(turn: Turn): void {
    const isFull = this.#laneOf(turn).waiting.length >= this.#limits.waiting;
    if (isFull && this.#running >= this.#limits.concurrency)
      throw new Refusal('overloaded', { retryAfter: RETRY_AFTER });
  }

  async run<T>(work: () => Promise<T>, turn: Turn = {}): Promise<T> {
    if (this.#running < this.#limits.concurrency) this.#running += 1;
    else await this.#wait(turn);
    try {
      return await work();
    } finally {
      // The next one takes over the place: the number of running ones stays.
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
    const gone = () => new Refusal('overloaded', { reason: 'the client has gone' });
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
