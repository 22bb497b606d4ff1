/** `npm run mutation`: everything that `.stryker.json` names. With `--since REV` only the files changed since then. */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { since } = parseArgs({ options: { since: { type: 'string' } } }).values;

const linesOf = (...args: string[]) =>
  execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);

/** The files to mutate that differ from this revision, committed or not. */
function changedSince(revision: string): string[] {
  const changed = new Set([
    ...linesOf('diff', '--name-only', '--relative', revision, '--'),
    ...linesOf('ls-files', '--others', '--exclude-standard'),
  ]);
  const { mutate } = JSON.parse(readFileSync('.stryker.json', 'utf8')) as { mutate: string[] };
  return globSync(mutate).filter((file) => changed.has(file));
}

const files = since === undefined ? [] : changedSince(since);
if (since !== undefined && files.length === 0) {
  console.log(`Nothing that .stryker.json mutates has changed since ${since}.`);
} else {
  const mutate = files.length > 0 ? ['--mutate', files.join(',')] : [];
  const { status } = spawnSync('stryker', ['run', '.stryker.json', ...mutate], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
