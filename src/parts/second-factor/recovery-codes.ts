import { randomBytes } from 'node:crypto';
import { Secret } from 'otpauth';
import type { Mfa, User } from '../../schemas/user.ts';
import { isSame } from '../is-same.ts';
import type { Turn } from '../passwords/hash-queue.ts';
import type { Passwords } from '../passwords/passwords.ts';
import { UnreadableRow } from '../storage/users.ts';

const RECOVERY_CODES = 10;
const NO_SALT = Buffer.alloc(16).toString('base64url');

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
