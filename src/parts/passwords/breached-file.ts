import { crc32 } from 'node:zlib';

// A filter file: a header, a directory, and 32 bits ("mark") of each hash.
//
// The first `bits` bits of a SHA-1 hash are its bucket, and the next 32 are its mark. The directory has the number of the first
// mark of each bucket, and the total. The marks of a bucket are sorted. A hash that is not in the list is found in it with a
// probability of (marks of a bucket) / 2^32.

const MAGIC = 'LKBREACH';
const VERSION = 1;
/** Bytes. */
const HEADER = 32;
/** Bytes of a number of the directory, and of a mark. */
const ENTRY = 8;
export const MARK = 4;

/** Marks of a bucket on average, at most: one hash in a million that is not in the list is found in it. */
const MAX_MARKS = 2 ** 32 / 1_000_000;
const MAX_BITS = 23;

export const bitsFor = (count: number): number =>
  Math.max(0, Math.ceil(Math.log2(count / MAX_MARKS)));

/** Where a hash is. `high`: its first 24 bits, `low`: the next 32. */
export const placeOf = ({ high, low }: { high: number; low: number }, bits: number) => ({
  bucket: high >>> (24 - bits),
  mark: ((high << (8 + bits)) | (low >>> (24 - bits))) >>> 0,
});

/** Bytes before the marks, for this number of bits. */
export const prefixLength = (bits: number): number => HEADER + (2 ** bits + 1) * ENTRY;

/** Where the directory has the first mark of a bucket; that of the next one follows. */
export const entryOffset = (bucket: number): number => HEADER + bucket * ENTRY;
export const entryAt = (buffer: Buffer, offset: number): number =>
  Number(buffer.readBigUInt64LE(offset));

/** Header and directory. `starts`: the number of the first mark of each bucket, and the total. */
export function prefixOf(starts: Float64Array, bits: number): Buffer {
  const prefix = Buffer.alloc(prefixLength(bits));
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt8(VERSION, 8);
  prefix.writeUInt8(bits, 9);
  starts.forEach((start, bucket) => {
    prefix.writeBigUInt64LE(BigInt(start), entryOffset(bucket));
  });
  prefix.writeUInt32LE(checksum(prefix), HEADER - 4);
  return prefix;
}

const checksum = (prefix: Buffer): number =>
  crc32(prefix.subarray(HEADER), crc32(prefix.subarray(0, HEADER - 4)));

/** The bits of the buckets, from the beginning of a file; undefined if it is not a filter file. */
export function bitsOf(beginning: Buffer): number | undefined {
  const isFilter =
    beginning.length >= HEADER &&
    beginning.toString('latin1', 0, MAGIC.length) === MAGIC &&
    beginning.readUInt8(8) === VERSION &&
    beginning.readUInt8(9) <= MAX_BITS;
  return isFilter ? beginning.readUInt8(9) : undefined;
}

/** Whether header and directory are whole, and belong to a file of this length (bytes). */
export const isWhole = (prefix: Buffer, bits: number, length: number): boolean =>
  prefix.length === prefixLength(bits) &&
  prefix.readUInt32LE(HEADER - 4) === checksum(prefix) &&
  length === prefix.length + MARK * entryAt(prefix, entryOffset(2 ** bits));
