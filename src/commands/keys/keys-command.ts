import type { Writable } from 'node:stream';

/** What a command of `latchkey keys` gets. */
export interface Invocation {
  /** Empty if the command takes none. */
  argument: string;
  /** `true`: an option without a value was given. */
  options: Record<string, string | boolean | undefined>;
  env: NodeJS.ProcessEnv;
  /** Milliseconds since 1970. */
  now: number;
  stdout: Writable;
  stderr: Writable;
}

/** A command of `latchkey keys`. Each has a file of its own, and a line in `keys.ts`. */
export interface KeysCommand {
  /** The one word that it needs; undefined: it takes none. */
  argument?: string;
  /** Each option with the name of its value, if it has one, and its meaning. */
  options?: Record<string, { value?: string; meaning: string }>;
  /** One line, for the list of commands. */
  summary: string;
  /** For the help of the command itself. */
  details: string;
  /** Returns the exit code. Throws CommandFault, ConfigError or KeySetError. */
  run(invocation: Invocation): number | Promise<number>;
}
