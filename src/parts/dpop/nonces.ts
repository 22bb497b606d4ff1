import { createHmac, timingSafeEqual } from 'node:crypto';
import { bytesOfBase64url } from '../base64url.ts';

const CLOCK_BYTES = 6;
const MAC_BYTES = 16;
const LENGTH = 30;

/** Nonces of DPoP proofs (RFC 9449 section 8): the time of the service under a MAC, so that nothing is stored and every node reads them. */
export class Nonces {
  readonly #key: () => Buffer;

  constructor(key: () => Buffer) {
    this.#key = key;
  }

  /** The nonce of this second (since 1970). */
  issue(second: number): string {
    const clock = Buffer.alloc(CLOCK_BYTES);
    clock.writeUIntBE(second, 0, CLOCK_BYTES);
    return Buffer.concat([clock, this.#macOf(clock)]).toString('base64url');
  }

  /** The second (since 1970) in which it was issued; undefined if it was not. */
  read(nonce: string): number | undefined {
    if (nonce.length !== LENGTH) return undefined;
    const bytes = bytesOfBase64url(nonce);
    if (bytes === undefined) return undefined;
    const clock = bytes.subarray(0, CLOCK_BYTES);
    if (!timingSafeEqual(bytes.subarray(CLOCK_BYTES), this.#macOf(clock))) return undefined;
    return clock.readUIntBE(0, CLOCK_BYTES);
  }

  #macOf(clock: Buffer): Buffer {
    return createHmac('sha256', this.#key()).update(clock).digest().subarray(0, MAC_BYTES);
  }
}
