import { resolve } from 'node:path';

/** Where Node keeps what it has compiled: a process that finds it there starts in half the time. */
const COMPILED = resolve(import.meta.dirname, '../node_modules/.cache/latchkey-tests');

/**
 * The command that runs Node with these arguments. The lines that it runs count as covered only if it `isMeasured`:
 * it then starts with the loader of tap, in twice the time. tap puts that loader into the NODE_OPTIONS of every
 * process, also of one with an `env` of its own; env(1) takes it out again, and becomes the process.
 */
export const nodeCommand = (args: string[], isMeasured = false): [string, string[]] =>
  isMeasured
    ? [process.execPath, args]
    : ['env', ['-u', 'NODE_OPTIONS', `NODE_COMPILE_CACHE=${COMPILED}`, process.execPath, ...args]];

/** The same command where a file may have only so many bytes: the limit stands for a disk that is full. */
export const withFileLimit = (
  bytes: number,
  [file, args]: [string, string[]],
): [string, string[]] => ['prlimit', [`--fsize=${bytes}`, file, ...args]];
