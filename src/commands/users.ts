import { readConfig } from '../config.ts';
import { faultOf } from './fault-of.ts';
import { runUsersCommand } from './users-command.ts';
import { readUsersCommand } from './users-usage.ts';
import { withContext } from './with-context.ts';

/** Administers users where the service runs, with the environment of the service. */
export async function run(words: string[], called: string): Promise<number> {
  const command = readUsersCommand(words, called);
  if ('help' in command) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await withContext(readConfig(process.env), (context) =>
      runUsersCommand(command, context, process),
    );
  } catch (error) {
    throw faultOf(error);
  }
}
