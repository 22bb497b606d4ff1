import { parseArgs } from 'node:util';
import { asksForHelp, isHelp } from './asks-for-help.ts';
import { columns } from './columns.ts';
import { faultOf } from './fault-of.ts';
import { check } from './keys/check.ts';
import { drop } from './keys/drop.ts';
import { init } from './keys/init.ts';
import type { KeysCommand } from './keys/keys-command.ts';
import { newKey } from './keys/new.ts';
import { retire } from './keys/retire.ts';
import { rotate } from './keys/rotate.ts';
import { status } from './keys/status.ts';
import { noSuchCommand } from './nearest.ts';
import { UsageError } from './usage-error.ts';

const COMMANDS: Record<string, KeysCommand> = {
  init,
  status,
  new: newKey,
  rotate,
  retire,
  drop,
  check,
};

/** Each option of a command as it is written, and its meaning. */
const optionsOf = ({ options = {} }: KeysCommand): [string, string][] =>
  Object.entries(options).map(([name, { value, meaning }]) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    meaning,
  ]);

/** A `kid` is a thumbprint, and may begin with a hyphen. */
const isKid = (word: string): boolean => /^[\w-]{43}$/.test(word);

const synopsisOf = (name: string, command: KeysCommand): string =>
  [name, command.argument, ...optionsOf(command).map(([option]) => `[${option}]`)]
    .filter((word) => word !== undefined)
    .join(' ');

const usageOf = (called: string) => `${called} COMMAND

${columns([
  ...Object.entries(COMMANDS).map(([name, each]) => [synopsisOf(name, each), each.summary]),
  ['help [COMMAND]', 'show this, or the help of one command'],
])}`;

function helpOf(name: string, command: KeysCommand, called: string): string {
  const meanings = optionsOf(command);
  const list = meanings.length === 0 ? '' : `\n${columns(meanings)}`;
  return `${called} ${synopsisOf(name, command)}\n\n${command.details}\n${list}`;
}

function parse(words: string[], options: KeysCommand['options'] = {}, see: string) {
  try {
    return parseArgs({
      args: [
        ...words.filter((word) => !isKid(word) && word !== '--'),
        '--',
        ...words.filter(isKid),
      ],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value }]) => [
          name,
          { type: value === undefined ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${see}`);
  }
}

/** Manages the file of SIGNING_KEYS, where the service runs. */
export async function run(words: string[], called: string): Promise<number> {
  const [name = '', ...more] = words.filter((word) => !isHelp(word));
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (asksForHelp(words)) {
    process.stdout.write(command ? helpOf(name, command, called) : usageOf(called));
    return 0;
  }
  const usage = usageOf(called).trimEnd();
  if (name === '') throw new UsageError(usage);
  if (command === undefined)
    throw new UsageError(`${noSuchCommand(name, Object.keys(COMMANDS))}\n\n${usage}`);
  const see = `See ${called} ${name} --help`;
  const { positionals, values } = parse(more, command.options, see);
  if (positionals.length !== (command.argument === undefined ? 0 : 1))
    throw new UsageError(`${called} ${synopsisOf(name, command)}\n${see}`);
  try {
    return await command.run({
      argument: positionals[0] ?? '',
      options: values,
      env: process.env,
      now: Date.now(),
      stdout: process.stdout,
      stderr: process.stderr,
    });
  } catch (error) {
    throw faultOf(error);
  }
}
