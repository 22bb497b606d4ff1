import { setTimeout as sleep } from 'node:timers/promises';
import { type WriteFault, writeFaultOf } from './faults.ts';

/** At most one write in this time (ms), however many callers ask. */
const EVERY = 1_000;

/** How long to wait for the database (ms). */
const PATIENCE = 1_000;

const TOO_LATE = Object.assign(new Error(`no answer within ${PATIENCE} ms`), { code: 'ETIMEDOUT' });

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
  #answer: Promise<WriteFault | undefined> = Promise.resolve(undefined);

  constructor(write: () => Promise<void>, options: Options) {
    this.#write = write;
    this.#options = options;
  }

  /** Why writes fail; undefined if they succeed. Answers within a second. */
  fault(): Promise<WriteFault | undefined> {
    const now = this.#options.clock();
    // `abs`: after the clock was set back, an old answer must not be reused.
    if (!this.#isRunning && Math.abs(now - this.#startedAt) >= EVERY) {
      this.#startedAt = now;
      this.#answer = this.#probe();
    }
    return this.#answer;
  }

  async #probe(): Promise<WriteFault | undefined> {
    this.#isRunning = true;
    const written = this.#write().finally(() => {
      this.#isRunning = false;
    });
    const fault = await Promise.race([
      written.then(
        () => undefined,
        (error: Error) => error,
      ),
      sleep(PATIENCE, TOO_LATE, { ref: false }),
    ]);
    this.#report(fault);
    return fault && writeFaultOf(fault);
  }

  #report(fault: Error | undefined): void {
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
