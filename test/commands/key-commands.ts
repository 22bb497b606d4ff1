import { PassThrough } from 'node:stream';
import type { CommandFault } from '../../src/commands/command-fault.ts';
import { faultOf } from '../../src/commands/fault-of.ts';
import { check } from '../../src/commands/keys/check.ts';
import { drop } from '../../src/commands/keys/drop.ts';
import { newKey } from '../../src/commands/keys/new.ts';
import { retire } from '../../src/commands/keys/retire.ts';
import { rotate } from '../../src/commands/keys/rotate.ts';

const COMMANDS = { new: newKey, rotate, retire, drop, check };

interface Given {
  argument?: string;
  options?: Record<string, string | boolean>;
  env: Record<string, string>;
  /** Milliseconds. */
  now: number;
}

/** Runs a command of `latchkey keys` in this process, at the time of the test. */
export async function keysCommand(
  name: keyof typeof COMMANDS,
  { argument = '', options = {}, env, now }: Given,
) {
  const written = { out: '', err: '' };
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  try {
    const code = await COMMANDS[name].run({ argument, options, env, now, stdout, stderr });
    return { code, ...written };
  } catch (error) {
    const { exitCode, message, stack } = faultOf(error) as CommandFault;
    return { code: exitCode, out: written.out, err: exitCode === undefined ? `${stack}` : message };
  }
}
