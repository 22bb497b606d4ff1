import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Permission bits of group and others. */
const OTHERS = 0o077;

/**
 * Creates a missing file with mode 600, and sets an existing one to 600. SQLite gives the `-wal` and `-shm` files the
 * same mode. Returns a warning for the operator if others had access.
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
    return 'DATABASE_URL: other users of this machine could open the file; its mode is now 600';
  } catch {
    return 'DATABASE_URL: other users of this machine can open the file, and its mode cannot be changed';
  }
}
