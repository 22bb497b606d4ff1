import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type DebianLibrary, debianLibraries, ENV } from './debian-libraries.ts';

export interface DebianRecipe {
  library: DebianLibrary;
  file: string;
  /** Asks the recipe what the test asks. */
  main: string;
  build?: [string, ...string[]];
  command: [string, ...string[]];
}

const libraryOf = (row: string) =>
  debianLibraries.find((library) => library.row === row) as DebianLibrary;

export const debianRecipes: DebianRecipe[] = [
  {
    library: libraryOf('Python: PyJWT 2 with cryptography'),
    file: 'revoked.py',
    main: 'revoked_main.py',
    command: ['python3', 'revoked_main.py'],
  },
  {
    library: libraryOf('Go: golang-jwt 4 with go-jose 2'),
    file: 'revoked.go',
    main: 'revoked_main.go',
    build: ['go', 'build', '-o', 'revoked', 'revoked.go', 'revoked_main.go'],
    command: ['./revoked'],
  },
];

/** Puts the recipe of .github/VERIFYING.md into this folder, as it is, ready to run. */
export function build({ file, main, build: command }: DebianRecipe, cwd: string): void {
  const page = readFileSync('.github/VERIFYING.md', 'utf8');
  const [text = ''] = new RegExp(`^(#|//) ${file}\\n[\\s\\S]*?(?=^\`\`\`$)`, 'm').exec(page) ?? [];
  writeFileSync(join(cwd, file), text);
  copyFileSync(join('test/verifiers', main), join(cwd, main));
  if (command) execFileSync(command[0], command.slice(1), { cwd, env: ENV });
}

/** The recipe in a process that follows this issuer. */
export function start(
  { command: [program, ...words] }: DebianRecipe,
  { cwd, issuer, whenAway = 'closed' }: { cwd: string; issuer: string; whenAway?: string },
) {
  const env = { ...ENV, ISSUER: issuer, AUDIENCE: issuer, WHEN_AWAY: whenAway };
  const child = spawn(program, words, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // It answers in the order in which it was asked.
  const ask = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`);
    return String((await answers.next()).value);
  };
  return {
    listen: () => ask('listen'),
    /** Listens again and again from now on, beside what it is asked. */
    follow: () => ask('follow'),
    verify: (token: string) => ask(`verify ${token}`),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}
