import { pino } from 'pino';
import { readConfig } from '../config.ts';
import { buildContext } from '../context.ts';
import { StorageFault } from '../parts/storage/users.ts';
import { databaseFault, explained } from '../start-faults.ts';
import { faultOf } from './fault-of.ts';
import { runUsersCommand } from './users-command.ts';
import { readUsersCommand, type UsersCommand } from './users-usage.ts';

async function carryOut(command: UsersCommand): Promise<number> {
  const config = readConfig(process.env);
  const context = await buildContext(config, {
    logger: pino({ level: 'error' }, pino.destination(2)),
  });
  try {
    return await explained(
      (error) =>
        error instanceof StorageFault ? databaseFault(config.DATABASE_URL)(error) : undefined,
      () => runUsersCommand(command, context, process),
    );
  } finally {
    await context.close();
  }
}

/** Administers users where the service runs, with the environment of the service. */
export async function run(words: string[], called: string): Promise<number> {
  const command = readUsersCommand(words, called);
  if (!('help' in command))
    return carryOut(command).catch((error) => {
      throw faultOf(error);
    });
  process.stdout.write(command.help);
  return 0;
}
