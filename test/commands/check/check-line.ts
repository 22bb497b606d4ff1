import { PassThrough } from 'node:stream';
import {
  readDocument,
  runCheckCommand,
  type Surroundings,
} from '../../../src/commands/check/command.ts';
import type { Finding } from '../../../src/commands/check/run-checks.ts';
import { type Options, readCheckCommand } from '../../../src/commands/check/usage.ts';
import { PASSWORD } from '../../test-app.ts';

const document = readDocument();

interface Around extends Partial<Omit<Surroundings, 'terminal'>> {
  input?: string;
  isTTY?: boolean;
}

/** Runs a command line in this process. `pauses` are the milliseconds that it waited; the waits themselves are left out. */
export async function checkLine(words: string[], { input, isTTY = false, ...around }: Around = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  stdin.end(input);
  const [stdout, stderr] = [
    Object.assign(new PassThrough(), { isTTY }),
    Object.assign(new PassThrough(), { isTTY }),
  ];
  const written = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  const pauses: number[] = [];
  const code = await runCheckCommand(readCheckCommand(words, 'latchkey check') as Options, {
    document,
    password: PASSWORD,
    clock: Date.now,
    uptime: () => performance.now(),
    sleep: async (milliseconds) => pauses.push(milliseconds),
    ...around,
    terminal: { stdin, stdout, stderr },
  });
  return { code, pauses, ...written };
}

/** The findings of a run, by the name of the check. */
export async function findings(words: string[], around?: Around) {
  const { out, ...rest } = await checkLine([...words, '--json'], around);
  const { findings: found } = JSON.parse(out) as { findings: Finding[] };
  const worse = found.filter(({ state }) => state === 'wrong' || state === 'warning');
  return {
    ...rest,
    out,
    found,
    bad: worse.map(({ check, state }) => `${check} ${state}`),
    /** What is wrong, in words. */
    said: worse.map(({ check, says }) => `${check}: ${says}`).join('\n'),
  };
}
