import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';

/** Whether `git add` would take this file: it lies in a checkout that does not ignore it. false without git. */
export function isSeenByGit(path: string): boolean {
  const file = resolve(path);
  const words = ['-C', dirname(file), 'check-ignore', '--quiet', '--', file];
  // 0: ignored. 128: in no checkout.
  return spawnSync('git', words, { stdio: 'ignore' }).status === 1;
}
