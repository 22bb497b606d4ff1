import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { PrivateJwk } from '../../schemas/jwk.ts';

/** Writes a temporary file next to `path`, readable by its owner only; returns its path. */
function writeDraft(path: string, keys: PrivateJwk[]): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', 0o600);
  writeSync(file, `${JSON.stringify({ keys }, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  return draft;
}

/** Replaces the private JWK set at `path` atomically. */
export function writeKeyFile(path: string, keys: PrivateJwk[]): void {
  renameSync(writeDraft(path, keys), path);
}

/** Reads a private JWK set as text. Creates a missing file; nodes that start at the same time all read the same one. */
export function readKeyFile(path: string, makeKeys: () => PrivateJwk[]): string {
  if (!existsSync(path)) {
    const draft = writeDraft(path, makeKeys());
    try {
      linkSync(draft, path);
    } catch {
      // Another node created it first. Any other error shows when the file is read.
    } finally {
      unlinkSync(draft);
    }
  }
  return readFileSync(path, 'utf8');
}
