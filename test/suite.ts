import { globSync } from 'node:fs';
import t from 'tap';

/**
 * Runs the test files that match patterns (in `test/`, without `.test.ts`) in this process, one after another. To
 * start a process for each takes longer than most of them do.
 */
export async function suite(...patterns: string[]): Promise<void> {
  const files = globSync(
    patterns.map((pattern) => `${pattern}.test.ts`),
    { cwd: import.meta.dirname },
  );
  for (const file of files.sort()) {
    t.comment(`test/${file}`);
    await import(`./${file}`);
  }
}
