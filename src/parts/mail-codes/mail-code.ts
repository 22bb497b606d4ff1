import { createHmac, timingSafeEqual } from 'node:crypto';
import { derive } from '../keys/derived-keys.ts';
import type { KeyRing } from '../keys/key-ring.ts';

const DIGITS = 8;

/** What a code is made from: the half that the browser holds, and the state of the row. `iat`: seconds. */
interface Halves {
  jti: string;
  iat: number;
  state: string;
}

/** The eight digits for both halves. The key is of the master secret that was in use at `iat`, so a rotation changes none. */
export function mailCode(keys: KeyRing, { jti, iat, state }: Halves): string {
  const key = derive(keys.masterInUse(iat * 1_000).secret, 'codes');
  const digest = createHmac('sha256', key)
    .update(JSON.stringify([jti, state]))
    .digest();
  // Of 64 bits, so no code is noticeably more likely than another.
  return String(digest.readBigUInt64BE() % 10n ** BigInt(DIGITS)).padStart(DIGITS, '0');
}

/** Takes as long wherever the first wrong digit is. */
export const isMailCode = (keys: KeyRing, code: string, halves: Halves): boolean =>
  code.length === DIGITS && timingSafeEqual(Buffer.from(code), Buffer.from(mailCode(keys, halves)));
