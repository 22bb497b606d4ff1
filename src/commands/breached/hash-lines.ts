import { CommandFault } from '../command-fault.ts';
import { EX_DATAERR } from '../exit-codes.ts';

const DIGITS = 40;
const [LF, CR, COLON] = [10, 13, 58];

/** The value of a hexadecimal digit, by its byte; 255 for other bytes. */
const VALUES = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Whether the bytes from `from` to `to` are a hash, alone or with a colon and a count. */
function isHash(bytes: Buffer, from: number, to: number): boolean {
  const end = from + DIGITS;
  if (to < end || (to > end && bytes[end] !== COLON)) return false;
  for (let at = from; at < end; at += 1) if (VALUES[bytes[at] as number] === 255) return false;
  return true;
}

const byteAt = (bytes: Buffer, at: number): number =>
  ((VALUES[bytes[at] as number] as number) << 4) | (VALUES[bytes[at + 1] as number] as number);

/**
 * Reads lines of `HASH` or `HASH:COUNT`, as they come from Have I Been Pwned, and gives the first seven bytes of each SHA-1 hash.
 * The array is used again for the next one. Refuses any other line with CommandFault.
 */
export async function readHashes(
  input: AsyncIterable<Buffer>,
  take: (hash: Uint8Array) => void,
): Promise<number> {
  const hash = new Uint8Array(7);
  let line = 0;
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  const read = (bytes: Buffer, from: number, end: number) => {
    line += 1;
    const to = end > from && bytes[end - 1] === CR ? end - 1 : end;
    if (to === from) return;
    if (!isHash(bytes, from, to))
      throw new CommandFault(`Line ${line} is not a SHA-1 hash in hexadecimal`, EX_DATAERR);
    for (let at = 0; at < hash.length; at += 1) hash[at] = byteAt(bytes, from + 2 * at);
    count += 1;
    take(hash);
  };
  for await (const chunk of input) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      read(bytes, from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    // A file without line ends is no list.
    if (rest.length > 1_000) read(rest, 0, rest.length);
  }
  read(rest, 0, rest.length);
  return count;
}
