import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import { folder } from './databases.ts';

/**
 * The last commit of 0.1.0: its tokens have no `scope`, and it knows neither decoys nor the names of additive migrations.
 * After a release, put its commit here.
 */
const LAST_RELEASE = '70d8aa7';

const ROOT = resolve(import.meta.dirname, '..');

const git = (...args: string[]) =>
  execFileSync('git', ['-C', ROOT, ...args], {
    maxBuffer: 100_000_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/** The folder `src` of the last release, with the packages of this checkout. Undefined in a checkout without its commit. */
export function lastRelease(t: Test): string | undefined {
  let archive: Buffer;
  try {
    archive = git('archive', LAST_RELEASE, 'src', 'package.json', 'openapi.yaml');
  } catch {
    return undefined;
  }
  const tree = folder(t);
  execFileSync('tar', ['-x', '-C', tree], { input: archive });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  return join(tree, 'src');
}
