import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Permission bits of everyone but the owner. */
const OTHERS = 0o077;

/**
 * Creates a missing file for its owner only, and removes other users' permissions from an existing one. SQLite gives
 * the files beside it the same permissions. Returns a warning for the operator, if there is one.
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
    return 'DATABASE_URL: other users of this machine could open the file. Its mode is now 0600.';
  } catch {
    return 'DATABASE_URL: other users of this machine can open the file, and its mode cannot be changed. Run chmod 600 on it as its owner.';
  }
}
