/** Milliseconds until a lock is tried again: the first pause, and the longest after doubling. */
const PAUSE = { first: 1, longest: 50 };

/** The wait for a lock that another process holds. Each time the lock is met again, the pause doubles. */
export class SqliteLockWait {
  #lock: { error: unknown; pause: number; until: number } | undefined;

  /** The error of the lock that is being waited for. */
  get error(): unknown {
    return this.#lock?.error;
  }

  /** Milliseconds until the next try. Zero or less: now. */
  get remaining(): number {
    return (this.#lock?.until ?? 0) - performance.now();
  }

  meet(error: unknown): void {
    const pause = Math.min(PAUSE.longest, this.#lock ? this.#lock.pause * 2 : PAUSE.first);
    // Random, or two processes that wait for each other would collide again.
    this.#lock = { error, pause, until: performance.now() + pause * (0.5 + Math.random() / 2) };
  }

  end(): void {
    this.#lock = undefined;
  }
}
