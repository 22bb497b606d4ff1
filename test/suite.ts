import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import t, { type Test } from 'tap';

let current: Test;

/** The subtest of the file that runs. */
export const currentTest = () => current;

/**
 * Runs the test files that match patterns (in `test/`, without `.test.ts`) in this process: to start a process for
 * each takes longer than most of them do. Each file is a subtest, which the file gets as its `tap`. So a file's tests
 * have ended, and its applications are closed, before the next file is imported.
 */
export function suite(...patterns: string[]): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'tap' && context.parentURL?.endsWith('.test.ts')
        ? next(`./current-test.ts?of=${context.parentURL}`, {
            ...context,
            parentURL: import.meta.url,
          })
        : next(specifier, context),
  });
  const files = globSync(
    patterns.map((pattern) => `${pattern}.test.ts`),
    { cwd: import.meta.dirname },
  );
  for (const file of files.sort()) {
    t.test(`test/${file}`, async (test) => {
      current = test;
      await import(`./${file}`);
    });
  }
}
