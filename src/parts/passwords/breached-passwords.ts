import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Refusal } from '../../rules/refusal.ts';
import {
  bitsOf,
  entryAt,
  entryOffset,
  isWhole,
  MARK,
  placeOf,
  prefixLength,
} from './breached-file.ts';
import { formsOf } from './opaque-string.ts';

/** The file is not a filter, or a part of it is missing. */
class BreachedFileError extends Error {}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Whether the sorted marks have this one. */
function hasMark(marks: Buffer, mark: number): boolean {
  let [from, to] = [0, marks.length / MARK];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const found = marks.readUInt32LE(middle * MARK);
    if (found === mark) return true;
    if (found < mark) from = middle + 1;
    else to = middle;
  }
  return false;
}

/**
 * Passwords that are known from breaches (NIST SP 800-63B-4 section 3.1.1.2). They stay in the file: a question reads some 10 KB
 * of it, in a thread of Node's pool. One in a million passwords that are not in the list is found in it.
 */
export class BreachedPasswords {
  readonly #file: FileHandle;
  readonly #bits: number;

  private constructor(file: FileHandle, bits: number) {
    this.#file = file;
    this.#bits = bits;
  }

  /** Refuses a file that is not a whole filter with BreachedFileError. The marks themselves are not read. */
  static async open(path: string): Promise<BreachedPasswords> {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const bits = bitsOf(await readAt(file, 0, prefixLength(0)));
      if (bits === undefined) throw new BreachedFileError('not a filter');
      if (!isWhole(await readAt(file, 0, prefixLength(bits)), bits, size))
        throw new BreachedFileError('incomplete');
      return new BreachedPasswords(file, bits);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** In the form that is hashed, or as it was typed. Refuses with `unavailable` if the file can no longer be read. */
  async has(password: string): Promise<boolean> {
    for (const form of formsOf(password)) if (await this.#hasForm(form)) return true;
    return false;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #hasForm(form: string): Promise<boolean> {
    const hash = createHash('sha1').update(form).digest();
    const { bucket, mark } = placeOf(
      { high: hash.readUIntBE(0, 3), low: hash.readUInt32BE(3) },
      this.#bits,
    );
    const entries = await this.#read(entryOffset(bucket), 2 * (entryOffset(1) - entryOffset(0)));
    const [from, to] = [entryAt(entries, 0), entryAt(entries, entries.length / 2)];
    const start = prefixLength(this.#bits) + from * MARK;
    return hasMark(await this.#read(start, (to - from) * MARK), mark);
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const found = await readAt(this.#file, position, length).catch((error: Error) => error);
    if (found instanceof Error || found.length < length)
      throw new Refusal('unavailable', {
        retryAfter: 2,
        reason: 'BREACHED_PASSWORDS is unreadable',
      });
    return found;
  }
}
