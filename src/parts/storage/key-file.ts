import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { PrivateJwk } from '../../schemas/jwk.ts';

/** Writes a temporary file next to `path`, readable by its owner only; returns its path. */
export function writeDraft(path: string, keys: PrivateJwk[]): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', 0o600);
  writeSync(file, `${JSON.stringify({ keys }, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  return draft;
}

/** Gives a draft its name, which no file may have. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } finally {
    unlinkSync(draft);
  }
}

/** Writes a private JWK set to a new file, in one step. Refuses, with EEXIST, to replace one. */
export function createKeyFile(path: string, keys: PrivateJwk[]): void {
  publish(writeDraft(path, keys), path);
}

/** Reads a private JWK set as text. Creates a missing file; nodes that start at the same time all read the same one. */
export function readKeyFile(path: string, makeKeys: () => PrivateJwk[]): string {
  if (!existsSync(path)) {
    const draft = writeDraft(path, makeKeys());
    try {
      publish(draft, path);
    } catch {
      // Another node created it first. Any other error shows when the file is read.
    }
  }
  return readFileSync(path, 'utf8');
}

/**
 * Permissions that a key file should not give: anything to others. The group may read it, as a container often gets a
 * mounted secret through its group.
 */
const EXPOSED = 0o007;

/** The mode of a file that other users of the machine can open, such as `0644`. POSIX only: Windows has no such bits. */
export function exposedMode(path: string): string | undefined {
  const mode = statSync(path).mode & 0o777;
  const isExposed = process.platform !== 'win32' && (mode & EXPOSED) !== 0;
  return isExposed ? mode.toString(8).padStart(4, '0') : undefined;
}
