import { setTimeout as sleep } from 'node:timers/promises';

/** At most one write in this time (ms), however many ask. */
const EVERY = 1_000;

/** How long an answer is waited for (ms). */
const PATIENCE = 1_000;

interface Surroundings {
  clock: () => number;
  /** Told once of each change: that nothing can be written, and why; that it can again. */
  failing(fault: unknown): void;
  well(): void;
}

/**
 * Whether the database takes writes, found out by one: a full disk and a standby answer every question. One write at
 * a time, so that asking cannot load the database, and a database that hangs holds one connection.
 */
export class WriteProbe {
  readonly #write: () => Promise<void>;
  readonly #surroundings: Surroundings;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #isWell = true;
  #answer: Promise<boolean> = Promise.resolve(true);

  constructor(write: () => Promise<void>, surroundings: Surroundings) {
    this.#write = write;
    this.#surroundings = surroundings;
  }

  /** Answers within `PATIENCE`. */
  succeeds(): Promise<boolean> {
    const now = this.#surroundings.clock();
    // A clock that was set back must not keep an old answer alive.
    if (!this.#isRunning && Math.abs(now - this.#startedAt) >= EVERY) {
      this.#startedAt = now;
      this.#answer = this.#probe();
    }
    return this.#answer;
  }

  async #probe(): Promise<boolean> {
    this.#isRunning = true;
    const faults = this.#write()
      .then(
        () => [],
        (fault: unknown) => [fault],
      )
      .finally(() => {
        this.#isRunning = false;
      });
    const tooLate = sleep(PATIENCE, [`no answer within ${PATIENCE} ms`], { ref: false });
    const [fault] = await Promise.race([faults, tooLate]);
    this.#tell(fault);
    return fault === undefined;
  }

  #tell(fault: unknown): void {
    const isWell = fault === undefined;
    if (isWell === this.#isWell) return;
    this.#isWell = isWell;
    if (isWell) this.#surroundings.well();
    else this.#surroundings.failing(fault);
  }
}
