interface CommandModule {
  /**
   * `words` follow the name of the command; `called` is how the line begins up to them, for help texts. Returns the exit code;
   * undefined: the process goes on. Throws CommandFault.
   */
  run(words: string[], called: string): Promise<number | undefined>;
}

interface Command {
  /** For the list of commands. */
  synopsis: string;
  summary: string;
  /** Loads only what this command needs. */
  load(): Promise<CommandModule>;
}

/** Every command of `latchkey`. Each has a file of its own, and shows its own help for `--help`. */
export const COMMANDS: Record<string, Command> = {
  start: {
    synopsis: 'start',
    summary: 'start the service',
    load: () => import('./start.ts'),
  },
  users: {
    synopsis: 'users COMMAND',
    summary: 'create, list, disable, import and export users',
    load: () => import('./users.ts'),
  },
  keys: {
    synopsis: 'keys COMMAND',
    summary: 'create, show and replace the keys',
    load: () => import('./keys.ts'),
  },
  breached: {
    synopsis: 'breached build',
    summary: 'make the filter file of breached passwords',
    load: () => import('./breached.ts'),
  },
  check: {
    synopsis: 'check URL',
    summary: 'check a deployment from outside, and say what is wrong',
    load: () => import('./check.ts'),
  },
};
