import { ConfigError } from '../config.ts';
import { problems } from '../http/problem-catalogue.ts';
import { KeySetError } from '../parts/keys/key-set.ts';
import { KeyFileFault } from '../parts/storage/key-file-change.ts';
import { EmailTaken } from '../parts/storage/users.ts';
import { Refusal } from '../rules/refusal.ts';
import { EX_CONFIG, StartFault } from '../start-faults.ts';
import { CommandFault } from './command-fault.ts';
import { EX_CANTCREAT, EX_DATAERR, EX_IOERR, EX_NOINPUT } from './exit-codes.ts';

/** The message for the operator, and the exit code. A bug comes back as it is. */
export function faultOf(error: unknown): unknown {
  if (error instanceof StartFault) return new CommandFault(error.message, error.exitCode, error);
  if (error instanceof ConfigError) return new CommandFault(error.message, EX_CONFIG, error);
  if (error instanceof KeySetError)
    return new CommandFault(`SIGNING_KEYS cannot be used: ${error.message}`, EX_CONFIG, error);
  if (error instanceof KeyFileFault) return new CommandFault(error.message, EX_CANTCREAT, error);
  if (error instanceof EmailTaken)
    return new CommandFault(problems.email_taken.detail, EX_DATAERR, error);
  if (error instanceof Refusal) {
    const { errors, detail } = error.circumstances;
    const faults = errors?.map(({ path, message }) => `${path.slice(1)} ${message}`).join('\n');
    return new CommandFault(faults ?? detail ?? problems[error.code].detail, EX_DATAERR, error);
  }
  const { syscall, message, path, code } = error as NodeJS.ErrnoException;
  if (syscall === 'open' || syscall === 'stat' || syscall === 'read') {
    // Node's words: "ENOENT: no such file or directory, open 'users.jsonl'".
    const reason = message.slice(message.indexOf(' ') + 1, message.lastIndexOf(', '));
    return new CommandFault(
      `${path ?? 'The input'} cannot be read: ${reason} (${code})`,
      EX_NOINPUT,
      error,
    );
  }
  // A file that could be created, but not written to its end.
  return syscall === undefined ? error : new CommandFault(message, EX_IOERR, error);
}
