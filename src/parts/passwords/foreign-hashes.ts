import { pbkdf2 as pbkdf2Callback, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import bcrypt from 'bcrypt';
import { type HashCost, isBearable, isComputable } from './hash-cost.ts';

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

/** Above these a sign-in would cost more than the service admits; see `hash-cost.ts` for the others. */
const MAX_ROUNDS = 10_000_000;
const MIN_BCRYPT_COST = 4;
const MAX_BCRYPT_COST = 16;
/** Each lane is a thread of its own. */
const MAX_LANES = 64;
/** As long as an import takes them: the longer the hash, the more of it PBKDF2 has to make. */
const MAX_LENGTH = 500;

const fields = (form: RegExp, hash: string): Record<string, string> | undefined =>
  form.exec(hash)?.groups;

/** KiB that scrypt needs (RFC 7914 section 2). */
const scryptMemory = (ln: string | undefined, r: string | undefined) =>
  (2 ** Number(ln) * Number(r)) / 8;

/** Libraries differ in the order of the costs. */
function isBearableArgon2(costs: string, configured: HashCost | undefined): boolean {
  const { m, t, p } = Object.fromEntries(
    costs.split(',').map((cost) => [cost[0], Number(cost.slice(2))]),
  ) as Record<'m' | 't' | 'p', number>;
  // RFC 9106 section 3.1: 8 KiB for each lane.
  return p <= MAX_LANES && m >= 8 * p && isComputable({ memory: m, passes: t }, configured);
}

/** RFC 8018 section 5.2: every block of the hash costs all the rounds. */
function isBearablePbkdf2({ bits, rounds, hash }: Record<string, string>): boolean {
  const blocks = Math.ceil(bytesOf(hash).length / (Number(bits) / 8));
  return Number(rounds) * blocks <= MAX_ROUNDS;
}

/**
 * Whether a hash is of a form that can be verified here, at a cost that can be borne. It is asked when a hash is
 * imported, and again whenever one is checked: what stands in a row may have come there by another way.
 * `configured`: the cost of a hash that is made here, which may always be spent.
 */
export function isVerifiable(hash: string, configured?: HashCost): boolean {
  if (hash.length > MAX_LENGTH) return false;
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
