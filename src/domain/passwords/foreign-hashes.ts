import { pbkdf2 as pbkdf2Callback, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import bcrypt from 'bcrypt';

const pbkdf2 = promisify(pbkdf2Callback);
const scrypt = promisify<Buffer, Buffer, number, object, Buffer>(scryptCallback);

/**
 * The forms in which other systems keep passwords: bcrypt, and Argon2, scrypt and PBKDF2 as PHC strings. Of a
 * hash that has less than 16 bytes there is no telling: one of no bytes would match every password.
 */
const FORMS = {
  bcrypt: /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/,
  scrypt:
    /^\$scrypt\$ln=(?<ln>[1-9]\d?),r=(?<r>[1-9]\d?),p=(?<p>[1-9]\d?)\$(?<salt>[A-Za-z0-9+/.]+)\$(?<hash>[A-Za-z0-9+/.]{22,})$/,
  pbkdf2:
    /^\$pbkdf2-sha(?<bits>256|512)\$(?:i=)?(?<rounds>[1-9]\d{0,7})(?:,l=\d+)?\$(?<salt>[A-Za-z0-9+/.]+)\$(?<hash>[A-Za-z0-9+/.]{22,})$/,
  argon2:
    /^\$argon2(?:id|i|d)\$v=19\$(?<costs>[mtp]=[1-9]\d{0,7}(?:,[mtp]=[1-9]\d{0,7}){2})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$/,
};

/** Above these a sign-in would cost more than the service admits. KiB; KiB that are passed over; rounds. */
const MAX_MEMORY = 1_048_576;
const MAX_PASSED = 4 * MAX_MEMORY;
const MAX_ROUNDS = 10_000_000;
const MIN_BCRYPT_COST = 4;
const MAX_BCRYPT_COST = 16;

const fields = (form: RegExp, hash: string): Record<string, string> | undefined =>
  form.exec(hash)?.groups;

/** KiB that scrypt needs (RFC 7914 section 2). */
const scryptMemory = (ln: string | undefined, r: string | undefined) =>
  (2 ** Number(ln) * Number(r)) / 8;

const isBearable = (memory: number, passes: number) =>
  memory <= MAX_MEMORY && memory * passes <= MAX_PASSED;

/** Libraries differ in the order of the costs. */
function isBearableArgon2(costs: string): boolean {
  const { m, t, p } = Object.fromEntries(costs.split(',').map((cost) => cost.split('=')));
  // RFC 9106 section 3.1: 8 KiB for each lane.
  return Number(m) >= 8 * Number(p) && isBearable(Number(m), Number(t));
}

/** Whether an imported hash is of a form that can be verified here, at a cost that can be borne. */
export function isVerifiable(hash: string): boolean {
  const { cost } = fields(FORMS.bcrypt, hash) ?? {};
  if (cost !== undefined) return Number(cost) >= MIN_BCRYPT_COST && Number(cost) <= MAX_BCRYPT_COST;
  const scrypted = fields(FORMS.scrypt, hash);
  if (scrypted)
    return isBearable(scryptMemory(scrypted['ln'], scrypted['r']), Number(scrypted['p']));
  const derived = fields(FORMS.pbkdf2, hash);
  if (derived) return Number(derived['rounds']) <= MAX_ROUNDS;
  const argon = fields(FORMS.argon2, hash);
  return argon !== undefined && isBearableArgon2(argon['costs'] as string);
}

/** Passlib writes `.` where base64 has `+`. */
const bytesOf = (text: string | undefined): Buffer =>
  Buffer.from((text as string).replaceAll('.', '+'), 'base64');

/** Whether a password belongs to a bcrypt, scrypt or PBKDF2 hash; undefined: it is none of these. */
export async function matchesForeign(hash: string, password: string): Promise<boolean | undefined> {
  if (!isVerifiable(hash)) return undefined;
  // PHP's name for 2b, which the library does not know.
  if (FORMS.bcrypt.test(hash)) return bcrypt.compare(password, hash.replace('$2y$', '$$2b$$'));
  const scrypted = fields(FORMS.scrypt, hash);
  if (scrypted) {
    const { ln, r, p, salt, hash: stored } = scrypted;
    const expected = bytesOf(stored);
    // What it needs, and twice over for what OpenSSL counts too.
    const maxmem = (scryptMemory(ln, r) + Number(p) * Number(r)) * 1_024 * 2;
    const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem };
    return timingSafeEqual(
      await scrypt(Buffer.from(password), bytesOf(salt), expected.length, cost),
      expected,
    );
  }
  const derived = fields(FORMS.pbkdf2, hash);
  if (derived === undefined) return undefined;
  const { bits, rounds, salt, hash: stored } = derived;
  const expected = bytesOf(stored);
  const made = await pbkdf2(password, bytesOf(salt), Number(rounds), expected.length, `sha${bits}`);
  return timingSafeEqual(made, expected);
}
