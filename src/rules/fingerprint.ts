import { createHash } from 'node:crypto';

/** 128 bits of SHA-256: shows whether two texts are the same without storing either. */
export const fingerprint = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');
