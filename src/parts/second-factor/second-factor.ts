import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Mfa, User } from '../../schemas/user.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Turn } from '../passwords/hash-queue.ts';
import type { Passwords } from '../passwords/passwords.ts';
import { UnreadableRow } from '../storage/users.ts';
import { seal, unseal } from './secret-box.ts';

/** A code of the authenticator app, or a recovery code. */
export type Proof = { code: string } | { recoveryCode: string };

type Totp = NonNullable<Mfa['totp']>;

/** Milliseconds. */
const PERIOD = 30_000;
const RECOVERY_CODES = 10;
const NO_SALT = Buffer.alloc(16).toString('base64url');

const totpOf = (secret: Secret) =>
  new TOTP({ algorithm: 'SHA1', digits: 6, period: PERIOD / 1_000, secret });

const stepAt = (now: number): number => Math.floor(now / PERIOD);

const isSame = (a: string | Buffer, b: string | Buffer): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

/** A new TOTP secret (RFC 6238), pending until confirmed with a code. `now`: milliseconds. */
export function newTotp(
  keys: KeyRing,
  user: User,
  now: number,
): { pending: Mfa['pending']; secret: Secret } {
  const secret = new Secret({ size: 20 });
  return {
    secret,
    pending: { secret: seal(keys, { secret: secret.base32, userId: user.id, now }), last_step: 0 },
  };
}

interface Label {
  email: string;
  product: string;
}

/** Without the characters at which apps split a label (colon) and parameters (ampersand): some decode before they split. */
const unsplit = (text: string): string => text.replaceAll(/[\s:&]+/g, ' ').trim();

/** Percent-encodes all but letters, digits and `-_.~`. Apps disagree whether `+` is a space. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The content of the QR code for an authenticator app (Google Authenticator's Key Uri Format). */
export function otpauthUri(secret: Secret, { email, product }: Label): string {
  const [issuer, account] = [product, email].map((text) => encoded(unsplit(text)));
  return `otpauth://totp/${issuer}:${account}?secret=${secret.base32}&issuer=${issuer}`;
}

/**
 * The TOTP with the step of this code spent, or undefined if the code is wrong, too old or was used before (RFC 6238
 * section 5.2). Accepts the current 30-second step and the one before. `now`: milliseconds. Throws UnreadableRow.
 */
export function withCodeSpent(
  keys: KeyRing,
  { totp, code, userId, now }: { totp: Totp; code: string; userId: string; now: number },
): Totp | undefined {
  const secret = unseal(keys, totp.secret, userId);
  const generator = totpOf(Secret.fromBase32(secret));
  const step = [stepAt(now), stepAt(now) - 1].find((candidate) =>
    isSame(generator.generate({ timestamp: candidate * PERIOD }), code),
  );
  if (step === undefined || step <= totp.last_step) return undefined;
  // Encrypted again, so that it moves to the current master secret.
  return { ...totp, secret: seal(keys, { secret, userId, now }), last_step: step };
}

/** A code as people type it: without spaces and hyphens, in upper case. */
const canonical = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase();

/** Ten codes of 80 bits in groups of four, and the set to store: hashed like passwords, with one salt. */
export async function newRecoveryCodes(
  passwords: Passwords,
): Promise<{ codes: string[]; recovery: Mfa['recovery'] }> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    (new Secret({ size: 10 }).base32.match(/.{4}/g) as string[]).join('-'),
  );
  const { cost } = passwords;
  const salt = randomBytes(16);
  const hashes: string[] = [];
  for (const code of codes) hashes.push(await hashCode(passwords, code, { salt, cost }));
  return { codes, recovery: { salt: salt.toString('base64url'), cost, hashes } };
}

const hashCode = async (
  passwords: Passwords,
  code: string,
  settings: Parameters<Passwords['derive']>[1],
  turn?: Turn,
): Promise<string> =>
  (await passwords.derive(canonical(code), settings, turn)).toString('base64url');

/** The hash of a recovery code, as the row has it. Takes as long for a user without codes. Throws UnreadableRow. */
export const hashRecoveryCode = async (
  passwords: Passwords,
  user: User | undefined,
  code: string,
  turn: Turn,
): Promise<string> => {
  const { salt, cost } = user?.mfa.recovery ?? { salt: NO_SALT, cost: passwords.cost };
  const settings = { salt: Buffer.from(salt, 'base64url'), cost };
  if (user !== undefined && !passwords.canDerive(settings))
    throw new UnreadableRow(user.id, 'the salt or the cost of mfa.recovery cannot be used');
  return hashCode(passwords, code, settings, turn);
};

/** The set without the code of this hash, or undefined if it is not in the set. */
export function withRecoveryHashSpent(
  recovery: Mfa['recovery'],
  hash: string,
): Mfa['recovery'] | undefined {
  const hashes = recovery?.hashes.filter((stored) => !isSame(stored, hash));
  if (recovery === undefined || hashes?.length === recovery.hashes.length) return undefined;
  return { ...recovery, hashes: hashes as string[] };
}
