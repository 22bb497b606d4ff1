import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Of everybody but the owner. */
const OTHERS = 0o077;

/**
 * Makes the file where it is not there, for its owner only, and takes the rights of others from one that is.
 * SQLite gives the files beside it the same rights. Answers what the operator should know.
 */
export function makePrivate(path: string): string | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  const open = [path, `${path}-wal`, `${path}-shm`].filter(
    (file) => existsSync(file) && (statSync(file).mode & OTHERS) !== 0,
  );
  if (open.length === 0) return undefined;
  try {
    for (const file of open) chmodSync(file, 0o600);
    return 'DATABASE_URL: other users of this machine could open the file; now its owner alone can';
  } catch {
    return 'DATABASE_URL: other users of this machine can open the file, and its rights cannot be changed';
  }
}
