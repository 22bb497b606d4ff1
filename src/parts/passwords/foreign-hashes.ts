import { pbkdf2 as pbkdf2Callback, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import bcrypt from 'bcrypt';
import { isFirebaseScrypt, matchesFirebaseScrypt } from './firebase-scrypt.ts';
import { type HashCost, isBearable, isComputable } from './hash-cost.ts';
import { isPhpass, matchesPhpass } from './phpass.ts';
import { prehashed } from './prehashed.ts';

const pbkdf2 = promisify(pbkdf2Callback);
const scrypt = promisify<Buffer, Buffer, number, object, Buffer>(scryptCallback);

/**
 * Hash formats of many systems: bcrypt, and Argon2, scrypt and PBKDF2 as PHC strings. Formats of a single system have
 * their own files. Hashes under 16 bytes are refused: an empty one would match every password.
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

/** Upper bounds of the work of one sign-in. Those of memory and passes are in `hash-cost.ts`. */
const MAX_ROUNDS = 10_000_000;
const MIN_BCRYPT_COST = 4;
const MAX_BCRYPT_COST = 16;
/** Each lane runs in its own thread. */
const MAX_LANES = 64;
/** The same limit as in an import. A longer hash costs PBKDF2 more work. */
const MAX_LENGTH = 500;

const fields = (form: RegExp, hash: string): Record<string, string> | undefined =>
  form.exec(hash)?.groups;

/** KiB that scrypt needs (RFC 7914 section 2). */
const scryptMemory = (ln: string | undefined, r: string | undefined) =>
  (2 ** Number(ln) * Number(r)) / 8;

/** The costs may come in any order: libraries differ. */
function isBearableArgon2(costs: string, configured: HashCost | undefined): boolean {
  const { m, t, p } = Object.fromEntries(
    costs.split(',').map((cost) => [cost[0], Number(cost.slice(2))]),
  ) as Record<'m' | 't' | 'p', number>;
  // RFC 9106 section 3.1: 8 KiB for each lane.
  return p <= MAX_LANES && m >= 8 * p && isComputable({ memory: m, passes: t }, configured);
}

/** RFC 8018 section 5.2: each block of the hash costs the full number of rounds. */
function isBearablePbkdf2({ bits, rounds, hash }: Record<string, string>): boolean {
  const blocks = Math.ceil(bytesOf(hash).length / (Number(bits) / 8));
  return Number(rounds) * blocks <= MAX_ROUNDS;
}

/**
 * Whether a hash has a supported format and an acceptable cost. Checked on import and again at every verification,
 * as a row may have been written in another way. `configured`: the cost of new hashes, which is always acceptable.
 */
export function isVerifiable(hash: string, configured?: HashCost): boolean {
  if (hash.length > MAX_LENGTH) return false;
  if (isPhpass(hash) || isFirebaseScrypt(hash)) return true;
  const { bcrypt } = prehashed(hash) ?? {};
  if (bcrypt !== undefined) return FORMS.bcrypt.test(bcrypt) && isVerifiable(bcrypt);
  const { cost } = fields(FORMS.bcrypt, hash) ?? {};
  if (cost !== undefined) return Number(cost) >= MIN_BCRYPT_COST && Number(cost) <= MAX_BCRYPT_COST;
  const scrypted = fields(FORMS.scrypt, hash);
  if (scrypted) {
    const { ln, r, p } = scrypted;
    return isBearable({ memory: scryptMemory(ln, r), passes: Number(p) });
  }
  const derived = fields(FORMS.pbkdf2, hash);
  if (derived) return isBearablePbkdf2(derived);
  const argon = fields(FORMS.argon2, hash);
  return argon !== undefined && isBearableArgon2(argon['costs'] as string, configured);
}

/** Decodes base64, also Passlib's variant with `.` instead of `+`. */
const bytesOf = (text: string | undefined): Buffer =>
  Buffer.from((text as string).replaceAll('.', '+'), 'base64');

/** Whether a password matches a hash other than Argon2. undefined: the hash has no known form, or is too costly. */
export async function matchesForeign(hash: string, password: string): Promise<boolean | undefined> {
  if (!isVerifiable(hash)) return undefined;
  if (isPhpass(hash)) return matchesPhpass(hash, password);
  if (isFirebaseScrypt(hash)) return matchesFirebaseScrypt(hash, password);
  const inner = prehashed(hash);
  if (inner) return matchesForeign(inner.bcrypt, inner.of(password));
  // `2y` is PHP's name for `2b`; the library does not know it.
  if (FORMS.bcrypt.test(hash)) return bcrypt.compare(password, hash.replace('$2y$', '$$2b$$'));
  const scrypted = fields(FORMS.scrypt, hash);
  if (scrypted) {
    const { ln, r, p, salt, hash: stored } = scrypted;
    const expected = bytesOf(stored);
    // Twice what scrypt needs, as OpenSSL counts its own overhead too.
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
