import { parseArgs } from 'node:util';

export const USAGE = `npm run users -- COMMAND

  create EMAIL [--admin] [--name NAME]   create an account; asks for the password, or reads it from standard input
  list [--email PREFIX]                  list users, one per line
  disable EMAIL                          block sign-in; every token stops working within a second
  enable EMAIL                           allow sign-in again
  end-sessions EMAIL                     end every session of the user
  import FILE                            add users from a JSON Lines file; run it again to resume
  export                                 write all users as JSON Lines, without secrets
  help                                   show this help
`;

/** A usage error: shown as a message without a stack. */
export class UsageError extends Error {}

/** The commands, and whether each takes an argument. */
const COMMANDS = {
  create: true,
  list: false,
  disable: true,
  enable: true,
  'end-sessions': true,
  import: true,
  export: false,
} as const satisfies Record<string, boolean>;

type Name = keyof typeof COMMANDS;

export interface UsersCommand {
  name: Name;
  /** Empty if the command takes none. */
  argument: string;
  options: { admin: boolean; name?: string | undefined; email?: string | undefined };
}

const isName = (word: string): word is Name => Object.hasOwn(COMMANDS, word);

/** Parses a command line. undefined: help was requested. Throws UsageError. */
export function readUsersCommand(argv: string[]): UsersCommand | undefined {
  const { positionals, values } = parse(argv);
  const { help, ...options } = values;
  const [word = '', argument = ''] = positionals;
  if (help || word === 'help') return undefined;
  // Extra words are refused too: one may be a password, which must not be on a command line.
  if (!isName(word) || positionals.length !== (COMMANDS[word] ? 2 : 1)) throw new UsageError(USAGE);
  return { name: word, argument, options };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        admin: { type: 'boolean', default: false },
        name: { type: 'string' },
        email: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee npm run users -- --help`);
  }
}
