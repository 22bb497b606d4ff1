import { LRUCache } from 'lru-cache';
import { Peers } from '../peers.ts';

const LETTERS = 3;
const WINDOW = 3_600_000;
const MAX_ADDRESSES = 100_000;

/** Limits the letters that strangers can cause: three an hour to one address, per occasion and node. */
export class MailboxLimit {
  // `maxSize`, because `max` would allocate memory for all entries up front.
  readonly #counts = new LRUCache<string, { count: number; since: number }>({
    maxSize: MAX_ADDRESSES,
    sizeCalculation: () => 1,
  });

  readonly #peers: Peers;

  constructor(peers = new Peers()) {
    this.#peers = peers;
    peers.hear('letter', ({ key, at }) => this.#count(key, at));
  }

  /** Counts one letter. Returns false, and counts nothing, if the limit is reached. `now` in milliseconds. */
  allows(occasionAndAddress: string, now: number): boolean {
    if (this.#current(occasionAndAddress, now).count >= LETTERS) return false;
    this.#count(occasionAndAddress, now);
    this.#peers.tell('letter', { key: occasionAndAddress, at: now });
    return true;
  }

  #current(key: string, now: number): { count: number; since: number } {
    const known = this.#counts.get(key);
    return known && now - known.since < WINDOW ? known : { count: 0, since: now };
  }

  #count(key: string, now: number): void {
    const { count, since } = this.#current(key, now);
    this.#counts.set(key, { count: count + 1, since });
  }
}
