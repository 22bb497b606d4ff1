import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { PrivateJwk } from '../schemas/jwk.ts';

/** Writes a private JWK set, readable by its owner only; either whole or not at all. */
export function writeKeyFile(path: string, keys: PrivateJwk[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${JSON.stringify({ keys }, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}

/** The text of a private JWK set. A file that is not there is first written with `makeKeys`. */
export function readKeyFile(path: string, makeKeys: () => PrivateJwk[]): string {
  if (!existsSync(path)) writeKeyFile(path, makeKeys());
  return readFileSync(path, 'utf8');
}
