import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { read } from 'read';

export interface Terminal {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
}

/**
 * Writes, and waits until the text is on its way. Returns false if it cannot be written: its reader has stopped early, as
 * `head` does, or the disk is full, which `latchkey.ts` reports.
 */
export const write = (output: Writable, text: string): Promise<boolean> =>
  new Promise((resolve) => output.write(text, (error) => resolve(!error)));

/** Asks for a secret at a terminal; otherwise reads it from standard input. */
export async function askFor(
  prompt: string,
  { stdin, stderr }: Pick<Terminal, 'stdin' | 'stderr'>,
): Promise<string> {
  if (!stdin.isTTY) return (await text(stdin)).replace(/\r?\n$/, '');
  return read({ prompt: `${prompt}: `, silent: true, input: stdin, output: stderr });
}
