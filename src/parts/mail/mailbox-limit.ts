import { LRUCache } from 'lru-cache';

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

  /** Counts one letter. Returns false, and counts nothing, if the limit is reached. `now` in milliseconds. */
  allows(occasionAndAddress: string, now: number): boolean {
    const known = this.#counts.get(occasionAndAddress);
    const current = known && now - known.since < WINDOW ? known : { count: 0, since: now };
    if (current.count >= LETTERS) return false;
    this.#counts.set(occasionAndAddress, { ...current, count: current.count + 1 });
    return true;
  }
}
