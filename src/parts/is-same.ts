import { timingSafeEqual } from 'node:crypto';

/** Compares in a time that does not depend on where two values differ. */
export const isSame = (a: string | Buffer, b: string | Buffer): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};
