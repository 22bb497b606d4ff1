import { LRUCache } from 'lru-cache';
import { type Letters, mayGo, withLetter } from '../../rules/letters.ts';
import { type News, Peers } from '../peers.ts';

const MAX_LETTERS = 100_000;

/** A letter that strangers can cause. `network`: who asks for it, if it is one that people ask for. */
type Caused = News['letter'];

/** Limits the letters that strangers can cause: per address, occasion and node. */
export class MailboxLimit {
  // `maxSize`, because `max` would allocate memory for all entries up front.
  readonly #letters = new LRUCache<string, Letters>({
    maxSize: MAX_LETTERS,
    sizeCalculation: ({ networks }) => networks.length,
  });

  readonly #peers: Peers;

  constructor(peers = new Peers()) {
    this.#peers = peers;
    peers.hear('letter', (caused) => this.#count(caused));
  }

  /** Counts one letter. Returns false, and counts nothing, if the limit is reached. */
  allows(caused: Caused): boolean {
    const { key, network, at } = caused;
    if (!mayGo(this.#letters.get(key), network, at)) return false;
    this.#count(caused);
    this.#peers.tell('letter', caused);
    return true;
  }

  #count({ key, network, at }: Caused): void {
    this.#letters.set(key, withLetter(this.#letters.get(key), network, at));
  }
}
