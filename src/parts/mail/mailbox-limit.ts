import { LRUCache } from 'lru-cache';

const LETTERS = 3;
const WINDOW = 3_600_000;
const MAX_ADDRESSES = 100_000;

/** How many letters strangers can make the service send to one address: three an hour for each occasion, on each node. */
export class MailboxLimit {
  // By size: `max` would set the room for all of them aside at the start.
  readonly #counts = new LRUCache<string, { count: number; since: number }>({
    maxSize: MAX_ADDRESSES,
    sizeCalculation: () => 1,
  });

  /** False: the address has had enough. `now` in milliseconds. */
  allows(occasionAndAddress: string, now: number): boolean {
    const known = this.#counts.get(occasionAndAddress);
    const current = known && now - known.since < WINDOW ? known : { count: 0, since: now };
    if (current.count >= LETTERS) return false;
    this.#counts.set(occasionAndAddress, { ...current, count: current.count + 1 });
    return true;
  }
}
