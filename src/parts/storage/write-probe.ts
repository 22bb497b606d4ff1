import { setTimeout as sleep } from 'node:timers/promises';

/** At most one write in this interval (ms), however many callers ask. */
const EVERY = 1_000;

/** How long to wait for an answer (ms). */
const PATIENCE = 1_000;

interface Surroundings {
  clock: () => number;
  /** Called once when writes begin to fail, with the cause; `well` once when they succeed again. */
  failing(fault: unknown): void;
  well(): void;
}

/**
 * Tests with a real write whether the database takes writes: with a full disk or on a standby, reads still succeed.
 * One write at a time, so that probes cannot load the database, and a hanging database blocks one connection only.
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

  /** Settles within `PATIENCE`. */
  succeeds(): Promise<boolean> {
    const now = this.#surroundings.clock();
    // `Math.abs`: a clock that was set back must not keep an old answer alive.
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
