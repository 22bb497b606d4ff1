/** Proofs remembered at once: some 10 MB. */
const MOST = 100_000;

/**
 * Which proofs have been used, while they would still be in time. Under a flood that would fill the memory, the oldest are
 * forgotten, and proofs of their age are refused from then on: no proof counts twice, and a new one is still accepted.
 */
export class SeenProofs {
  /** By the second in which they were made: `now` minus `life` to `now` plus the skew. */
  readonly #seconds = new Map<number, Set<string>>();
  readonly #most: number;
  #size = 0;
  #forgottenUntil = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether proofs of this second (since 1970) have been forgotten, so that a used one would not be recognised. */
  hasForgotten(second: number): boolean {
    return second <= this.#forgottenUntil;
  }

  /** Remembers a proof. Returns false if it is known. `oldest`: the first second whose proofs are still in time. */
  add(key: string, second: number, oldest: number): boolean {
    for (const [made, keys] of this.#seconds) {
      if (made < oldest) this.#forget(made, keys);
      else if (keys.has(key)) return false;
    }
    const keys = this.#seconds.get(second) ?? new Set();
    this.#seconds.set(second, keys.add(key));
    this.#size += 1;
    if (this.#size > this.#most) {
      const first = Math.min(...this.#seconds.keys());
      // Another worker may have told of an older one meanwhile.
      this.#forgottenUntil = Math.max(this.#forgottenUntil, first);
      this.#forget(first, this.#seconds.get(first) as Set<string>);
    }
    return true;
  }

  #forget(second: number, keys: Set<string>): void {
    this.#seconds.delete(second);
    this.#size -= keys.size;
  }
}
