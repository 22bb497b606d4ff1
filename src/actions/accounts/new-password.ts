import type { Config } from '../../config.ts';
import type { Context } from '../../context.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import { opaque } from '../../parts/passwords/opaque-string.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';
import { checkPassword } from './check-password.ts';

const MAX_CODE_POINTS = 128;

interface NewPassword extends Turn {
  password: string;
  /** Whose it is to be: nobody's password is made of his own address. */
  email: string | null;
  /** Where in the request it stands. */
  path: string;
  /** Whose password it is to replace. */
  owner?: User;
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
 * long or common (NIST SP 800-63B section 3.1.1.2), or the one that it is to replace. What it is made of is no
 * matter, but for control characters (RFC 8265 section 4.2): no form takes all of them, and a pasted line break is
 * not seen. The other characters that the RFC refuses are in emoji, or new to one Unicode version: they stay.
 */
export async function hashNewPassword(
  context: Context,
  { password, email, path, owner, ...turn }: NewPassword,
): Promise<string> {
  const { config, passwords, passwordStrength } = context;
  const refuse = (message: string) => new Refusal('invalid_input', { errors: [{ path, message }] });
  const minimum = config.PASSWORD_MIN_LENGTH;
  const text = opaque(password);
  const length = [...text].length;
  if (length < minimum || length > MAX_CODE_POINTS) {
    throw refuse(`must have ${minimum} to ${MAX_CODE_POINTS} characters; it has ${length}`);
  }
  if (/\p{Cc}/u.test(text))
    throw refuse('must not have control characters, such as a tab or a line break');
  if (!(await passwordStrength.isStrong(text, guessable(email, config), turn))) {
    throw refuse('is too easy to guess: common, repeated, or made of your address');
  }
  // Last: nobody learns of a password that could not be chosen whether it is the present one.
  if (owner && (await checkPassword(context, owner, password, turn)) !== 'wrong')
    throw refuse('is the password that you have now');
  return passwords.hash(password, turn);
}
