import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../server.ts';

/** A disk of 4 MB on this empty folder. Undefined where this user may not mount one. */
export function smallDisk(scope: Scope, path: string) {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', path]);
  if (mounted.status !== 0) return undefined;
  scope.teardown(() => void spawnSync('umount', ['-l', path]));
  const filler = join(path, 'filler');
  return {
    /** Writes until there is no space left. */
    fill() {
      try {
        writeFileSync(filler, Buffer.alloc(8_000_000));
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(filler),
  };
}
