import { EX_CANTCREAT } from './exit-codes.ts';

/** Ends a command with this message for the operator, without a stack trace. `exitCode` is one of `EXIT_CODES`. */
export class CommandFault extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** The file at `path` could not be created. */
export function notCreated(path: string, error: NodeJS.ErrnoException): CommandFault {
  const reason =
    error.code === 'EEXIST'
      ? 'exists already, and is not overwritten'
      : `cannot be created (${error.code})`;
  return new CommandFault(`${path} ${reason}`, EX_CANTCREAT, error);
}
