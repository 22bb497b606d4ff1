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
  /** Of its owner: a password must not be made of it. */
  email: string | null;
  /** JSON pointer of the field in the request. */
  path: string;
  /** The user whose password it replaces. */
  owner?: User;
}

/** Words that someone guessing this password would try first. */
function guessableWordsOf(
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
 * The hash of a new password. Refuses with `invalid_input` one that is too short, too long, the same as the present
 * one, or easy to guess or known from a breach (NIST SP 800-63B-4 section 3.1.1.2), or that has control characters
 * (RFC 8265 section 4.2): not every form accepts them, and a pasted line break is invisible. The other characters that
 * the RFC refuses are allowed: some are in emoji, and some are only unassigned in an older Unicode version.
 */
export async function hashNewPassword(
  context: Context,
  { password, email, path, owner, ...turn }: NewPassword,
): Promise<string> {
  const { config, passwords, passwordStrength, breachedPasswords } = context;
  const refuse = (message: string) => new Refusal('invalid_input', { errors: [{ path, message }] });
  const minimum = config.PASSWORD_MIN_LENGTH;
  const text = opaque(password);
  const length = [...text].length;
  if (length < minimum || length > MAX_CODE_POINTS) {
    throw refuse(`must have ${minimum} to ${MAX_CODE_POINTS} characters; it has ${length}`);
  }
  if (/\p{Cc}/u.test(text))
    throw refuse('must not have control characters, such as a tab or a line break');
  if (await breachedPasswords?.has(password))
    throw refuse(
      'is known from a breach of another service, so it would be guessed: choose another',
    );
  if (!(await passwordStrength.isStrong(text, guessableWordsOf(email, config), turn))) {
    throw refuse('is too easy to guess: common, repeated, or made of your address');
  }
  // Last: for a password that is refused anyway, it must not show whether it is the present one.
  if (owner && (await checkPassword(context, owner, password, turn)) !== 'wrong')
    throw refuse('is the password that you have now');
  return passwords.hash(password, turn);
}
