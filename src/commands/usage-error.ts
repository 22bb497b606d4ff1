import { CommandFault } from './command-fault.ts';
import { EX_USAGE } from './exit-codes.ts';

/** The command line is wrong. */
export class UsageError extends CommandFault {
  constructor(message: string) {
    super(message, EX_USAGE);
  }
}
