import { setTimeout as sleep } from 'node:timers/promises';

/** At most one write in this time (ms), however many callers ask. */
const EVERY = 1_000;

/** How long to wait for the database (ms). */
const PATIENCE = 1_000;

interface Options {
  clock: () => number;
  log: {
    error(details: object, message: string): void;
    info(message: string): void;
  };
}

/**
 * Tries whether the database takes writes: with a full disk, or on a standby server, reads still succeed. One write at
 * a time, so that probes cannot load the database, and a database that hangs occupies one connection. Logs each
 * change once.
 */
export class WriteProbe {
  readonly #write: () => Promise<void>;
  readonly #options: Options;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #isWell = true;
  #answer: Promise<boolean> = Promise.resolve(true);

  constructor(write: () => Promise<void>, options: Options) {
    this.#write = write;
    this.#options = options;
  }

  /** Answers within a second. */
  succeeds(): Promise<boolean> {
    const now = this.#options.clock();
    // `abs`: after the clock was set back, an old answer must not be reused.
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
    this.#report(fault);
    return fault === undefined;
  }

  #report(fault: unknown): void {
    const isWell = fault === undefined;
    if (isWell === this.#isWell) return;
    this.#isWell = isWell;
    const { log } = this.#options;
    if (isWell) log.info('database: takes writes again');
    else
      log.error(
        { err: fault },
        'database: takes no writes. Check its disk, and that it is the primary server.',
      );
  }
}
