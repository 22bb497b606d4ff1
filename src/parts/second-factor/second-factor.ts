import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Mfa, User } from '../../schemas/user.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Turn } from '../passwords/hash-queue.ts';
import type { Passwords } from '../passwords/passwords.ts';
import { UnreadableRow } from '../storage/users.ts';
import { seal, unseal } from './secret-box.ts';

/** What proves a second factor. */
export type Proof = { code: string } | { recoveryCode: string };

const PERIOD = 30_000;
const RECOVERY_CODES = 10;
const NO_SALT = Buffer.alloc(16).toString('base64url');

const totpOf = (secret: Secret) =>
  new TOTP({ algorithm: 'SHA1', digits: 6, period: PERIOD / 1_000, secret });

const stepAt = (now: number): number => Math.floor(now / PERIOD);

const same = (a: string | Buffer, b: string | Buffer): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

/** A new TOTP secret (RFC 6238), which counts only once a code has proven it. */
export function enrol(
  keys: KeyRing,
  user: User,
  now: number,
): { pending: Mfa['pending']; secret: Secret } {
  const secret = new Secret({ size: 20 });
  return { secret, pending: { secret: seal(keys, secret.base32, user.id, now), last_step: 0 } };
}

interface Label {
  email: string;
  product: string;
}

/** Apps split a label at its colon and parameters at the ampersand, and some of them decode before they do. */
const unsplit = (text: string): string => text.replaceAll(/[\s:&]+/g, ' ').trim();

/** `%XX` for everything but letters, digits and `-_.~`: to some apps a `+` is a space, to others a plus. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** For the QR code of an authenticator app (Google Authenticator's Key Uri Format). */
export function otpauthUri(secret: Secret, { email, product }: Label): string {
  const [issuer, account] = [product, email].map((text) => encoded(unsplit(text)));
  return `otpauth://totp/${issuer}:${account}?secret=${secret.base32}&issuer=${issuer}`;
}

/**
 * The TOTP with the step of this code used up, or undefined: wrong, too old, or used before (RFC 6238 section
 * 5.2). The current step or the one before, by the server's clock.
 */
export function withCodeSpent(
  keys: KeyRing,
  { id }: Pick<User, 'id'>,
  totp: NonNullable<Mfa['totp']>,
  code: string,
  now: number,
): NonNullable<Mfa['totp']> | undefined {
  const secret = unseal(keys, totp.secret, id);
  const generator = totpOf(Secret.fromBase32(secret));
  const step = [stepAt(now), stepAt(now) - 1].find((candidate) =>
    same(generator.generate({ timestamp: candidate * PERIOD }), code),
  );
  if (step === undefined || step <= totp.last_step) return undefined;
  // Written anew, so with the master secret of today.
  return { secret: seal(keys, secret, id, now), last_step: step };
}

/** As people type them: without what separates the groups, in any case. */
const canonical = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase();

/** Ten codes of 80 bits, in groups of four; what is kept of them is hashed like a password, with one salt for the set. */
export async function newRecoveryCodes(
  passwords: Passwords,
): Promise<{ codes: string[]; recovery: Mfa['recovery'] }> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    (new Secret({ size: 10 }).base32.match(/.{4}/g) as string[]).join('-'),
  );
  const { cost } = passwords;
  const salt = randomBytes(16);
  const hashes: string[] = [];
  for (const code of codes) hashes.push(await hashOf(passwords, code, { salt, cost }));
  return { codes, recovery: { salt: salt.toString('base64url'), cost, hashes } };
}

const hashOf = async (
  passwords: Passwords,
  code: string,
  settings: Parameters<Passwords['derive']>[1],
  turn?: Turn,
): Promise<string> =>
  (await passwords.derive(canonical(code), settings, turn)).toString('base64url');

/** The stored form of a recovery code, to be compared with the row's. Costs one hash, also where there is no set. Throws UnreadableRow. */
export const recoveryHash = async (
  passwords: Passwords,
  user: User | undefined,
  code: string,
  turn: Turn,
): Promise<string> => {
  const { salt, cost } = user?.mfa.recovery ?? { salt: NO_SALT, cost: passwords.cost };
  const settings = { salt: Buffer.from(salt, 'base64url'), cost };
  if (user !== undefined && !passwords.canDerive(settings))
    throw new UnreadableRow(user.id, 'the salt or the cost of mfa.recovery cannot be used');
  return hashOf(passwords, code, settings, turn);
};

/** The set without the code of this hash, or undefined: it is not in there (any more). */
export function withRecoveryHashSpent(
  recovery: Mfa['recovery'],
  hash: string,
): Mfa['recovery'] | undefined {
  const hashes = recovery?.hashes.filter((stored) => !same(stored, hash));
  if (recovery === undefined || hashes?.length === recovery.hashes.length) return undefined;
  return { ...recovery, hashes: hashes as string[] };
}
