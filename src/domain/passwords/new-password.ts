import type { Context } from '../../context.ts';
import { Refusal } from '../refusal.ts';
import type { Turn } from './hash-queue.ts';

const MAX_CODE_POINTS = 128;
const PRODUCT = 'latchkey';

interface NewPassword extends Turn {
  password: string;
  /** Whose it is to be: nobody's password is made of his own address. */
  email: string | null;
  /** Where in the request it stands. */
  path: string;
}

/** The words that a guesser of this very password would try first. */
function guessable(email: string | null, issuer: string): string[] {
  const ownWords = email === null ? [] : [email, ...email.split(/[^\p{L}\p{N}]+/u)];
  return [PRODUCT, new URL(issuer).hostname, ...ownWords].filter((word) => word.length > 2);
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
  if (!(await passwordStrength.isStrong(text, guessable(email, config.ISSUER), turn))) {
    throw refuse('is too easy to guess: common, repeated, or made of your address');
  }
  return passwords.hash(password, turn);
}
