import closeWithGrace from 'close-with-grace';
import type { pino } from 'pino';
import type { Config } from '../config.ts';

/** After the delay, the total time to finish requests, send waiting mails and close the database (ms). */
const END_LIMIT = 20_000;

export const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

interface Ending {
  config: Config;
  log: pino.Logger;
  /** Shuts down gracefully. */
  end(): Promise<void>;
  /** Skips the wait for load balancers. */
  hurry(): void;
  /** Called first if the process ends because of an error that nothing caught. */
  failing?(): void;
  /** Added to the time limit (ms). */
  more?: number;
}

/**
 * The steps out of a running process, one for each call: the first shuts down gracefully, the second skips the wait for
 * load balancers, the third exits at once. An uncaught exception takes the first two, as the state is unknown then.
 */
export function stepsOut({ config, log, end, hurry, failing, more = 0 }: Ending): () => void {
  // SIGHUP reloads the keys.
  const { close } = closeWithGrace(
    {
      delay: config.SHUTDOWN_DELAY + END_LIMIT + more,
      logger: log,
      skip: ['SIGHUP', 'unhandledRejection', ...SIGNALS],
    },
    async ({ err }) => {
      if (err) {
        log.fatal({ err }, 'shutting down after an error');
        failing?.();
        hurry();
      }
      await end();
    },
  );
  const steps = [close, hurry, () => process.exit(1)];
  return () => steps.shift()?.();
}

/** Hears SIGINT and SIGTERM. The listeners stay the same: one that is replaced loses a signal that has just arrived. */
export class Signals {
  #answer: (signal: string) => void = () => process.exit(0);

  constructor() {
    // Process 1 of a container ignores signals that it has no handler for.
    for (const signal of SIGNALS) process.on(signal, () => this.#answer(signal));
  }

  /** From now on, each signal takes the next step. Before, the first ends the process. */
  follow(step: () => void, log: pino.Logger): void {
    let count = 0;
    this.#answer = (signal) => {
      log.info(`${signal}: shutting down${count > 0 ? ' faster' : ''}`);
      count += 1;
      step();
    };
  }

  /** From now on, they are for another process. */
  ignore(): void {
    this.#answer = () => {};
  }
}
