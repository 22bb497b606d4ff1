import { notify } from '../notice.js';
import { GivenUp } from '../session.js';
import { sentenceOf } from '../words.js';

/**
 * Does what may need a recent proof. Says what went wrong; nothing if the user has given up.
 *
 * @param {() => Promise<void>} work
 * @param {(error: unknown) => string} [say]
 */
export async function attempt(work, say = sentenceOf) {
  notify('');
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GivenUp)) notify(say(error), 'error');
  }
}
