import { pino } from 'pino';
import { ConfigError, EX_CONFIG, readConfig } from '../config.ts';
import { buildContext } from '../context.ts';
import { KeySetError } from '../domain/keys/key-set.ts';
import { Refusal } from '../domain/refusal.ts';
import { problems } from '../http/problems.ts';
import { EmailTaken } from '../storage/users.ts';
import { runUsersCommand, UsageError } from './users-command.ts';

/** sysexits.h. */
const EX_USAGE = 64;

/** What an operator reads instead of a stack, and the exit code; undefined: a bug or a fault. */
function explain(error: unknown): [message: string, code: number] | undefined {
  if (error instanceof ConfigError || error instanceof KeySetError)
    return [error.message, EX_CONFIG];
  if (error instanceof UsageError) return [error.message, EX_USAGE];
  if (error instanceof EmailTaken) return [problems.email_taken.explanation, 1];
  if (error instanceof Refusal) {
    const { errors, detail } = error.circumstances;
    const faults = errors?.map(({ path, message }) => `${path.slice(1)} ${message}`).join('\n');
    return [faults ?? detail ?? problems[error.code].explanation, 1];
  }
  if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS'))
    return [(error as Error).message, EX_USAGE];
  // A file that is not there, a database that does not answer.
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return [(error as Error).message, 1];
  return undefined;
}

// Whoever reads the output may stop early, as `head` does: no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const context = await buildContext(readConfig(process.env), {
    logger: pino({ level: 'error' }, pino.destination(2)),
  });
  try {
    await runUsersCommand(process.argv.slice(2), context, process);
  } finally {
    await context.close();
  }
} catch (error) {
  const explained = explain(error);
  if (explained === undefined) throw error;
  const [message, code] = explained;
  console.error(message);
  process.exitCode = code;
}
