import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { read } from 'read';

export interface Terminal {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
}

/** Asks for a secret at a terminal; otherwise reads it from standard input. */
export async function askFor(
  prompt: string,
  { stdin, stderr }: Pick<Terminal, 'stdin' | 'stderr'>,
): Promise<string> {
  if (!stdin.isTTY) return (await text(stdin)).replace(/\r?\n$/, '');
  return read({ prompt: `${prompt}: `, silent: true, input: stdin, output: stderr });
}
