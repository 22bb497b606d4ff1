import { pino } from 'pino';
import type { Config } from '../config.ts';
import { buildContext, type Context } from '../context.ts';
import { StorageFault } from '../parts/storage/users.ts';
import type { Clock } from '../rules/clock.ts';
import { databaseFault } from '../start-faults/database-fault.ts';
import { explained } from '../start-faults.ts';

/** Does `work` with the parts of the service, and closes them. Errors are logged to standard error. */
export async function withContext<T>(
  config: Config,
  work: (context: Context) => Promise<T>,
  clock: Clock = Date.now,
): Promise<T> {
  const logger = pino({ level: 'error' }, pino.destination(2));
  const context = await buildContext(config, { logger, clock });
  try {
    return await explained(
      (error) =>
        error instanceof StorageFault ? databaseFault(config.DATABASE_URL)(error) : undefined,
      () => work(context),
    );
  } finally {
    await context.close();
  }
}
