import { createHash } from 'node:crypto';

/** 128 bits of SHA-256: tells whether something is still the same, without holding it. */
export const fingerprint = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');
