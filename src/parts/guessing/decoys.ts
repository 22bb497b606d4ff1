import { createHmac } from 'node:crypto';
import { DECOYS, decoyId } from '../storage/decoy-rows.ts';

/** Where guesses at an unknown address are counted. */
export interface Decoy {
  /** The ID of the row. */
  id: string;
  /** What stands for the address in it: 128 bits. */
  address: string;
}

/**
 * The same on every node and after every restart. Without the key nobody can find addresses that share a row, or tell from
 * the row which address it counts.
 */
export function decoyOf(key: Buffer, emailKey: string): Decoy {
  const digest = createHmac('sha256', key).update(emailKey).digest();
  return {
    id: decoyId(digest.readUInt16BE(16) % DECOYS),
    address: digest.subarray(0, 16).toString('base64url'),
  };
}
