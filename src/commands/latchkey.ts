#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { EX_CONFIG, EX_SOFTWARE } from '../start-faults.ts';
import { calledAs } from './called.ts';
import { columns } from './columns.ts';
import { CommandFault } from './command-fault.ts';
import { COMMANDS } from './commands.ts';
import { escapedLines } from './escaped.ts';
import { EX_IOERR, EXIT_CODES } from './exit-codes.ts';
import { noSuchCommand } from './nearest.ts';
import { UsageError } from './usage-error.ts';

/** Older versions of Node lack what the service uses, and would fail anywhere. */
const OLDEST_NODE = 22;

const { version, engines } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const called = calledAs(process.env);

const HELP = `${called} COMMAND

${columns([
  ...Object.values(COMMANDS).map(({ synopsis, summary }) => [synopsis, summary]),
  ['COMMAND --help', 'show the help of a command'],
  ['--version', 'show the version'],
])}
Exit codes:

${columns(Object.entries(EXIT_CODES))}`;

/** Returns the exit code; undefined: the process goes on. */
async function run(argv: string[]): Promise<number | undefined> {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < OLDEST_NODE)
    throw new CommandFault(`Latchkey needs Node ${engines.node}. This is ${node}.`, EX_CONFIG);
  // `help users` is `users --help`.
  const [name, ...words] = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  if (name === undefined) throw new UsageError(HELP.trimEnd());
  if (name === '--help' || name === '-h') process.stdout.write(HELP);
  else if (name === '--version') process.stdout.write(`${version}\n`);
  else {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      const line = noSuchCommand(name, Object.keys(COMMANDS));
      throw new UsageError(`${line}\nSee ${called} --help`);
    }
    const { run: runCommand } = await command.load();
    return runCommand(words, calledAs(process.env, name));
  }
  return 0;
}

// The reader of the output may stop early, as `head` does: the work goes on. The service cares for its log itself.
if (process.argv[2] !== 'start')
  for (const output of [process.stdout, process.stderr])
    output.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE') return;
      console.error(message);
      process.exit(EX_IOERR);
    });

try {
  const exitCode = await run(process.argv.slice(2));
  if (exitCode !== undefined) process.exitCode = exitCode;
} catch (error) {
  const isKnown = error instanceof CommandFault;
  // A server or a file may have written a part of it.
  console.error(escapedLines(isKnown ? error.message : inspect(error)));
  process.exitCode = isKnown ? error.exitCode : EX_SOFTWARE;
}
