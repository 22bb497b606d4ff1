import { parseArgs } from 'node:util';

export const USAGE = `npm run users -- COMMAND

  create EMAIL [--admin] [--name NAME]   make an account; asks for its password, or reads it from standard input
  list [--email PREFIX]                  one line for each user
  disable EMAIL                          nobody signs in; every token is dead within a second
  enable EMAIL                           undo that
  end-sessions EMAIL                     sign out everywhere
  import FILE                            add the users of a JSON Lines file; run it again to go on after a stop
  export                                 write every user as JSON Lines, without secrets
  help                                   show this
`;

/** What the caller did wrong: a message, no stack. */
export class UsageError extends Error {}

/** The commands, by whether they take one more word. */
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
  /** Empty where the command takes none. */
  argument: string;
  options: { admin: boolean; name?: string | undefined; email?: string | undefined };
}

const isName = (word: string): word is Name => Object.hasOwn(COMMANDS, word);

/** Reads the words of a command line; undefined: the caller asks for help. Refuses with UsageError, before anything is opened. */
export function readUsersCommand(argv: string[]): UsersCommand | undefined {
  const { positionals, values } = parse(argv);
  const { help, ...options } = values;
  const [word = '', argument = ''] = positionals;
  if (help || word === 'help') return undefined;
  // Also one word too many: it may be a password, which has no place here.
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
