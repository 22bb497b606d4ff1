import { setTimeout as sleep } from 'node:timers/promises';
import { readDocument, runCheckCommand, Unreachable } from './check/command.ts';
import { readCheckCommand } from './check/usage.ts';
import { UsageError } from './usage-error.ts';

/** Exit codes (sysexits.h). */
const EX_USAGE = 64;
const EX_UNAVAILABLE = 69;

/** undefined: a bug, which is shown with its stack trace. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return EX_USAGE;
  if (error instanceof Unreachable) return EX_UNAVAILABLE;
  // The file of --ca cannot be read.
  return (error as NodeJS.ErrnoException).syscall === undefined ? undefined : EX_USAGE;
}

async function run(args: string[]): Promise<number> {
  const options = readCheckCommand(args);
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
  });
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const code = codeOf(error);
  if (code === undefined) throw error;
  console.error((error as Error).message);
  process.exitCode = code;
}
