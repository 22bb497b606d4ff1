import type { Config } from '../../config.ts';
import type { Context } from '../../context.ts';
import { Refusal } from '../refusal.ts';
import type { Turn } from './hash-queue.ts';

const MAX_CODE_POINTS = 128;

interface NewPassword extends Turn {
  password: string;
  /** Whose it is to be: nobody's password is made of his own address. */
  email: string | null;
  /** Where in the request it stands. */
  path: string;
}

/** The words that a guesser of this very password would try first. */
function guessable(
  email: string | null,
  { ISSUER, PRODUCT_NAME }: Pick<Config, 'ISSUER' | 'PRODUCT_NAME'>,
): string[] {
  const withParts = (text: string) => [text, ...text.split(/[^\p{L}\p{N}]+/u)];
  const product = [PRODUCT_NAME, PRODUCT_NAME.replaceAll(' ', '')].flatMap(withParts);
  const own = email === null ? [] : withParts(email);
  return [...new Set([...product, new URL(ISSUER).hostname, ...own])].filter(
    (word) => word.length > 2,
  );
}

/**
 * The hash of a password that is good enough to keep. Refuses with `invalid_input` one that is too short, too
 * long or common (NIST SP 800-63B section 3.1.1.2); what it is made of is no matter.
 */
export async function hashNewPassword(
  { config, passwords, passwordStrength }: Context,
  { password, email, path, ...turn }: NewPassword,
): Promise<string> {
  const refuse = (message: string) => new Refusal('invalid_input', { errors: [{ path, message }] });
  const minimum = config.PASSWORD_MIN_LENGTH;
  const text = password.normalize('NFC');
  const length = [...text].length;
  if (length < minimum || length > MAX_CODE_POINTS) {
    throw refuse(`must have ${minimum} to ${MAX_CODE_POINTS} characters; it has ${length}`);
  }
  if (!(await passwordStrength.isStrong(text, guessable(email, config), turn))) {
    throw refuse('is too easy to guess: common, repeated, or made of your address');
  }
  return passwords.hash(password, turn);
}
