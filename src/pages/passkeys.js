import { createPasskeys } from './client-passkeys.js';
import { client } from './session.js';
import { codeOf, sentenceOf } from './words.js';

/** Passkeys with the client of this page. */
export const passkeys = createPasskeys(client);

/** What the user reads if a passkey was not used or made. Empty: another passkey was asked for in the meantime.
 *
 * @param {unknown} error
 */
export function whatWentWrong(error) {
  if (!(error instanceof DOMException)) {
    const isWrong = ['wrong_code', 'invalid_code'].includes(codeOf(error) ?? '');
    return isWrong ? 'This passkey does not belong to your account.' : sentenceOf(error);
  }
  if (error.name === 'AbortError') return '';
  if (error.name === 'InvalidStateError')
    return 'This device has a passkey of your account already.';
  return 'No passkey was used. Try again, or go on in another way.';
}
