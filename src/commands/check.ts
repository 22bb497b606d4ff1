import { setTimeout as sleep } from 'node:timers/promises';
import { readDocument, runCheckCommand } from './check/command.ts';
import { readCheckCommand } from './check/usage.ts';
import { faultOf } from './fault-of.ts';

/** Checks a deployment from outside. Needs nothing of the service's environment. */
export async function run(words: string[], called: string): Promise<number> {
  const options = readCheckCommand(words, called);
  if ('help' in options) {
    process.stdout.write(options.help);
    return 0;
  }
  return runCheckCommand(options, {
    terminal: process,
    document: readDocument(),
    password: process.env['LATCHKEY_PASSWORD'],
    clock: Date.now,
    uptime: () => performance.now(),
    sleep,
  }).catch((error) => {
    throw faultOf(error);
  });
}
