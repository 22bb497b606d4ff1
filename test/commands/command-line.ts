import { PassThrough } from 'node:stream';
import { runUsersCommand } from '../../src/commands/users-command.ts';
import { readUsersCommand, type UsersCommand } from '../../src/commands/users-usage.ts';
import type { Context } from '../../src/context.ts';

/** Runs a command line in this process, without a terminal. */
export const commandLine = (context: Context) => async (words: string[]) => {
  const written = { out: '', err: '' };
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  const code = await runUsersCommand(
    readUsersCommand(words, 'latchkey users') as UsersCommand,
    context,
    {
      stdin,
      stdout,
      stderr,
    },
  );
  return { code, ...written };
};
