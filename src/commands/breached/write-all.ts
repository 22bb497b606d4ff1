import { writeSync } from 'node:fs';

/** Writes all bytes, from `position` on or behind what was written last. A disk that is nearly full takes a part of them at a time. */
export function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let at = 0; at < bytes.length; ) {
    const place = position === undefined ? null : position + at;
    at += writeSync(file, bytes, at, bytes.length - at, place);
  }
}
