import type { Counted, Peers } from '../parts/peers.ts';

/** The longest that a count waits before the other workers know it (ms). */
const LONGEST_WAIT = 100;

/** All workers together can count this part of a limit before the others know it, and a client no more above its limit. */
const UNKNOWN_PART = 8;

interface Store {
  learn(counted: Counted): void;
}

/**
 * The counts of the requests are those of the node: each worker tells the others what it has counted. Not for each request,
 * which would cost more than the request: a client gets at most an eighth more than its limit, plus what the workers
 * answer while a message is on its way.
 */
export class CountsOfNode {
  readonly #peers: Peers;
  readonly #workers: number;
  /** In the order of the routes, which is the same in every worker. */
  readonly #stores: Store[] = [];

  constructor(peers: Peers, workers: number) {
    this.#peers = peers;
    this.#workers = workers;
    peers.hear('counts', ({ store, counts }) => {
      for (const counted of counts) this.#stores[store]?.learn(counted);
    });
  }

  /** Returns what the store calls for each request: with its key, its count so far and the end of the window. */
  join(store: Store, limit: number): (key: string, count: number, ends: number) => void {
    const index = this.#stores.push(store) - 1;
    const atOnce = Math.floor(limit / UNKNOWN_PART / this.#workers);
    const untold = new Map<string, Counted>();
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      clearTimeout(timer);
      timer = undefined;
      this.#peers.tell('counts', { store: index, counts: [...untold.values()] });
      untold.clear();
    };
    return (key, count, ends) => {
      // Refused here, and so everywhere: the others know of as many.
      if (count > limit) return;
      const counted = untold.get(key) ?? { key, count: 0, ends };
      counted.count += 1;
      untold.set(key, counted);
      if (counted.count >= atOnce) tell();
      else timer ??= setTimeout(tell, LONGEST_WAIT);
    };
  }
}
