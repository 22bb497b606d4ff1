import { parseArgs } from 'node:util';
import { columns } from './columns.ts';
import { FORMATS } from './formats/formats.ts';
import { noSuchCommand } from './nearest.ts';
import { UsageError } from './usage-error.ts';

interface Usage {
  /** The one word that the command needs; undefined: it takes none. */
  argument?: string;
  /** Each option with its meaning. */
  options?: Record<string, string>;
  /** One line, for the list of commands. */
  summary: string;
  /** For the help of the command itself. */
  details: string;
}

const COMMANDS = {
  create: {
    argument: 'EMAIL',
    options: {
      '--admin': 'give the account the role admin',
      '--name NAME': 'display name',
    },
    summary: 'create an account; asks for the password, or reads it from standard input',
    details: `Creates an account whose address counts as verified. Asks for the password at a
terminal; otherwise reads it from standard input. Prints the ID of the account.`,
  },
  list: {
    options: { '--email PREFIX': 'only addresses that start with this' },
    summary: 'list users, one per line',
    details: 'Prints one line per user: ID, status, address, number of sessions and roles.',
  },
  disable: {
    argument: 'EMAIL',
    summary: 'block sign-in; every token stops working within a second',
    details: `Blocks sign-in and ends all sessions. Every token stops working within a second.
Refused for the last administrator.`,
  },
  enable: {
    argument: 'EMAIL',
    summary: 'allow sign-in again',
    details: 'Allows sign-in again. Sessions that have ended stay ended.',
  },
  'end-sessions': {
    argument: 'EMAIL',
    summary: 'end every session of the user',
    details: 'Ends all sessions. Every token stops working within a second.',
  },
  import: {
    argument: 'FILE',
    options: {
      '--dry-run': 'write nothing; say what would be added and refused',
      '--from FORMAT': 'the file is of another system: one of the above',
      '--hash-config FILE': 'the password hash parameters of a Firebase project',
      '--accounts FILE': 'the account table of Better Auth, if it is in a file of its own',
      '--admins': 'with --from: take over the role admin too',
      '--without-second-factors': 'with --from: add users whose second factor is not in the file',
    },
    summary: 'add users from a JSON Lines file or another system; run it again to resume',
    details: `Adds the users of a JSON Lines file, a thousand per commit. Skips addresses that have
an account, so an interrupted import can be run again. Reports each refused line,
and exits with 65 if there was one.

With --from, FILE is:
${Object.entries(FORMATS)
  .map(([name, { file }]) => `  ${name.padEnd(14)}${file}`)
  .join('\n')}`,
  },
  export: {
    options: {
      '--with-secrets FILE': 'write whole rows to a new file, to move to another database',
    },
    summary: 'write all users as JSON Lines, without secrets',
    details: `Writes all users to standard output as JSON Lines, without passwords and secrets.
With --with-secrets, writes everything to a new file of mode 0600: service accounts,
password hashes, second factors and sessions. import reads it.`,
  },
} as const satisfies Record<string, Usage>;

type Name = keyof typeof COMMANDS;

/** Options in a synopsis. */
const MOST_SHOWN = 3;

/** The command with its argument and options. */
function synopsisOf(name: Name): string {
  const { argument, options = {} }: Usage = COMMANDS[name];
  const words = Object.keys(options);
  const shown = words.length > MOST_SHOWN ? ['OPTIONS'] : words;
  return [name, argument, ...shown.map((option) => `[${option}]`)]
    .filter((word) => word !== undefined)
    .join(' ');
}

const names = Object.keys(COMMANDS) as Name[];

/** `called`: how the command line begins. */
export const usageOf = (called: string) => `${called} COMMAND

${columns([
  ...names.map((name) => [synopsisOf(name), COMMANDS[name].summary]),
  ['help [COMMAND]', 'show this, or the help of one command'],
])}`;

function helpOf(name: Name, called: string): string {
  const { options, details }: Usage = COMMANDS[name];
  const meanings = options === undefined ? '' : `\n${columns(Object.entries(options))}`;
  return `${called} ${synopsisOf(name)}\n\n${details}\n${meanings}`;
}

export interface UsersCommand {
  name: Name;
  /** Empty if the command takes none. */
  argument: string;
  options: {
    admin: boolean;
    name?: string | undefined;
    email?: string | undefined;
    'dry-run': boolean;
    'with-secrets'?: string | undefined;
    from?: string | undefined;
    'hash-config'?: string | undefined;
    accounts?: string | undefined;
    admins: boolean;
    'without-second-factors': boolean;
  };
}

const isName = (word: string): word is Name => Object.hasOwn(COMMANDS, word);

/** Nothing repeats a word of the command line: it may be a password in the wrong place. */
function faultIn(word: string, called: string): string {
  if (isName(word)) return `${called} ${synopsisOf(word)}\nSee ${called} ${word} --help`;
  const usage = usageOf(called).trimEnd();
  return word === '' ? usage : `${noSuchCommand(word, names)}\n\n${usage}`;
}

/** Reads a command line: a command, or the help that was asked for. Throws UsageError, before anything is opened. */
export function readUsersCommand(argv: string[], called: string): UsersCommand | { help: string } {
  const { positionals, values } = parse(argv, called);
  const { help, ...options } = values;
  const words = positionals.filter((word, index) => index > 0 || word !== 'help');
  const [word = '', argument = ''] = words;
  if (help || words.length < positionals.length)
    return { help: isName(word) ? helpOf(word, called) : usageOf(called) };
  // One word too many is refused too: it may be a password, which must not be on a command line.
  const takesArgument = isName(word) && 'argument' in COMMANDS[word];
  if (!isName(word) || words.length !== (takesArgument ? 2 : 1))
    throw new UsageError(faultIn(word, called));
  if (options.from !== undefined && !Object.hasOwn(FORMATS, options.from))
    throw new UsageError(`--from is one of ${Object.keys(FORMATS).join(', ')}`);
  return { name: word, argument, options };
}

function parse(argv: string[], called: string) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        admin: { type: 'boolean', default: false },
        name: { type: 'string' },
        email: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        'with-secrets': { type: 'string' },
        from: { type: 'string' },
        'hash-config': { type: 'string' },
        accounts: { type: 'string' },
        admins: { type: 'boolean', default: false },
        'without-second-factors': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee ${called} --help`);
  }
}
