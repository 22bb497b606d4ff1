import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { notCreated } from '../command-fault.ts';
import { writeAll } from './write-all.ts';

/** Bytes of a hash in a part: those after the first. */
const SIZE = 6;
/** Of a part in memory. */
const HASHES = 8_192;
const PARTS = 256;

function folderAt(prefix: string): string {
  try {
    return mkdtempSync(prefix);
  } catch (error) {
    throw notCreated(prefix, error as NodeJS.ErrnoException);
  }
}

/** Hashes by their first byte, each part in a file: sorting one at a time bounds the memory. */
export class Parts {
  readonly #folder: string;
  readonly #buffers: Buffer[];
  readonly #lengths = new Uint32Array(PARTS);
  readonly #files: number[] = [];

  /**
   * The files are in a new folder whose name begins with `prefix`. If they cannot be created, throws CommandFault and
   * leaves none of them.
   */
  constructor(prefix: string, hashes = HASHES) {
    this.#buffers = Array.from({ length: PARTS }, () => Buffer.alloc(SIZE * hashes));
    this.#folder = folderAt(prefix);
    try {
      for (let first = 0; first < PARTS; first += 1)
        this.#files.push(openSync(this.#path(first), 'wx', 0o600));
    } catch (error) {
      this.remove();
      throw notCreated(this.#folder, error as NodeJS.ErrnoException);
    }
  }

  /** `hash`: its first seven bytes. */
  add(hash: Uint8Array): void {
    const first = hash[0] as number;
    const buffer = this.#buffers[first] as Buffer;
    const at = this.#lengths[first] as number;
    buffer.set(hash.subarray(1), at);
    this.#lengths[first] = at + SIZE;
    if (at + SIZE === buffer.length) this.#flush(first);
  }

  /** Each part in the order of its first byte: the next six bytes of its hashes as numbers, sorted, each once. */
  *sorted(): Generator<{ first: number; hashes: Float64Array }> {
    for (let first = 0; first < PARTS; first += 1) {
      this.#flush(first);
      const bytes = readFileSync(this.#path(first));
      const hashes = Float64Array.from({ length: bytes.length / SIZE }, (_, index) =>
        bytes.readUIntBE(index * SIZE, SIZE),
      ).sort();
      yield { first, hashes: hashes.filter((hash, index) => hash !== hashes[index - 1]) };
    }
  }

  remove(): void {
    for (const file of this.#files) closeSync(file);
    rmSync(this.#folder, { recursive: true });
  }

  #path(first: number): string {
    return join(this.#folder, String(first));
  }

  #flush(first: number): void {
    const buffer = this.#buffers[first] as Buffer;
    writeAll(this.#files[first] as number, buffer.subarray(0, this.#lengths[first]));
    this.#lengths[first] = 0;
  }
}
