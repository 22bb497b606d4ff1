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

/** A file next to `path`, readable by its owner only. */
function writeDraft(path: string, keys: PrivateJwk[]): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', 0o600);
  writeSync(file, `${JSON.stringify({ keys }, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  return draft;
}

/** Puts a private JWK set in the place of the one that is there; either whole or not at all. */
export function writeKeyFile(path: string, keys: PrivateJwk[]): void {
  renameSync(writeDraft(path, keys), path);
}

/** The text of a private JWK set. A file that is not there is first made; of nodes that start at once, all read the same. */
export function readKeyFile(path: string, makeKeys: () => PrivateJwk[]): string {
  if (!existsSync(path)) {
    const draft = writeDraft(path, makeKeys());
    try {
      linkSync(draft, path);
    } catch {
      // Another node was faster. Any other cause shows when the file is read.
    } finally {
      unlinkSync(draft);
    }
  }
  return readFileSync(path, 'utf8');
}
