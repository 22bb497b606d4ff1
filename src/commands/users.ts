import { pino } from 'pino';
import { ConfigError, readConfig } from '../config.ts';
import { buildContext } from '../context.ts';
import { problems } from '../http/problem-catalogue.ts';
import { KeySetError } from '../parts/keys/key-set.ts';
import { EmailTaken, StorageFault } from '../parts/storage/users.ts';
import { Refusal } from '../rules/refusal.ts';
import { databaseFault, EX_CONFIG, explained, StartFault } from '../start-faults.ts';
import { runUsersCommand } from './users-command.ts';
import { readUsersCommand, UsageError } from './users-usage.ts';

/** Exit code (sysexits.h): the command line is wrong. */
const EX_USAGE = 64;

/** The message for the operator and the exit code. undefined: a bug, which is shown with its stack trace. */
function explain(error: unknown): [message: string, code: number] | undefined {
  if (error instanceof StartFault) return [error.message, error.exitCode];
  if (error instanceof ConfigError) return [error.message, EX_CONFIG];
  if (error instanceof KeySetError)
    return [`SIGNING_KEYS cannot be used: ${error.message}`, EX_CONFIG];
  if (error instanceof UsageError) return [error.message, EX_USAGE];
  if (error instanceof EmailTaken) return [problems.email_taken.detail, 1];
  if (error instanceof Refusal) {
    const { errors, detail } = error.circumstances;
    const faults = errors?.map(({ path, message }) => `${path.slice(1)} ${message}`).join('\n');
    return [faults ?? detail ?? problems[error.code].detail, 1];
  }
  // A missing file.
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return [(error as Error).message, 1];
  return undefined;
}

async function run(argv: string[]): Promise<void> {
  const command = readUsersCommand(argv);
  if ('help' in command) {
    process.stdout.write(command.help);
    return;
  }
  const config = readConfig(process.env);
  const context = await buildContext(config, {
    logger: pino({ level: 'error' }, pino.destination(2)),
  });
  try {
    await explained(
      (error) =>
        error instanceof StorageFault ? databaseFault(config.DATABASE_URL)(error) : undefined,
      async () => {
        process.exitCode = await runUsersCommand(command, context, process);
      },
    );
  } finally {
    await context.close();
  }
}

// The reader of the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await run(process.argv.slice(2));
} catch (error) {
  const explanation = explain(error);
  if (explanation === undefined) throw error;
  const [message, code] = explanation;
  console.error(message);
  process.exitCode = code;
}
