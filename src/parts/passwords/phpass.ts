import { hash as digest, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** The portable hashes of phpass (openwall.com/phpass), which WordPress used up to 6.7 and phpBB as `$H$`. */
const FORM = /^\$[PH]\$(?<cost>[./0-9A-Za-z])(?<salt>[./0-9A-Za-z]{8})(?<hash>[./0-9A-Za-z]{22})$/;
const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Base-2 logarithm of the rounds. The form allows up to 30; WordPress uses 13. */
const MAX_COST = 17;
const MIN_COST = 7;
/** Rounds without letting other work run: about a millisecond. */
const ROUNDS_IN_A_ROW = 1_024;

const costOf = (digit: string | undefined): number => DIGITS.indexOf(String(digit));

const fieldsOf = (hash: string): Record<string, string> => FORM.exec(hash)?.groups ?? {};

/** Whether this is a hash of phpass with an acceptable cost. */
export function isPhpass(hash: string): boolean {
  const cost = costOf(fieldsOf(hash)['cost']);
  return cost >= MIN_COST && cost <= MAX_COST;
}

/** `encode64` of phpass: groups of three bytes, the lowest bits first. */
function encoded(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = bytes.subarray(at, at + 3);
    const value = group.readUIntLE(0, group.length);
    for (let digit = 0; digit <= group.length; digit += 1)
      text += DIGITS[(value >> (6 * digit)) & 63];
  }
  return text;
}

/** For a hash that `isPhpass` accepts. */
export async function matchesPhpass(hash: string, password: string): Promise<boolean> {
  const { cost, salt, hash: stored } = fieldsOf(hash);
  const word = Buffer.from(password);
  let made = digest('md5', Buffer.concat([Buffer.from(salt as string), word]), 'buffer');
  const rounds = 2 ** costOf(cost);
  for (let round = 0; round < rounds; round += 1) {
    made = digest('md5', Buffer.concat([made, word]), 'buffer');
    if (round % ROUNDS_IN_A_ROW === 0) await setImmediate();
  }
  return timingSafeEqual(Buffer.from(encoded(made)), Buffer.from(stored as string));
}
