import { isInlineKeySet, type PrivateJwk } from '../../schemas/jwk.ts';
import { exposedMode, readKeyFile } from '../storage/key-file.ts';
import { type KeySet, KeySetError, readKeySet } from './key-set.ts';

/** A missing file must not get new keys while the service runs: that would sign out every user. */
function makeNoKeys(): never {
  throw new KeySetError('the file does not exist');
}

/** Where the key set comes from: SIGNING_KEYS contains it, or names its file. Refuses a bad key set with KeySetError. */
export class KeySetSource {
  readonly #signingKeys: string;
  readonly #warn: (message: string) => void;

  /** `warn` is called with what the operator should know about the file. */
  constructor(signingKeys: string, warn: (message: string) => void) {
    this.#signingKeys = signingKeys;
    this.#warn = warn;
  }

  /** At the start: creates a missing file, and warns of one that other users can open. */
  open(makeKeys: () => PrivateJwk[]): KeySet {
    const set = readKeySet(this.#text(makeKeys));
    const mode = isInlineKeySet(this.#signingKeys) ? undefined : exposedMode(this.#signingKeys);
    if (mode !== undefined)
      this.#warn(
        `SIGNING_KEYS: other users of this machine can open the key file (mode ${mode}). Run chmod 600 on it.`,
      );
    return set;
  }

  /** While running: the key set as it is now. */
  readAgain(): KeySet {
    return readKeySet(this.#text(makeNoKeys));
  }

  #text(makeKeys: () => PrivateJwk[]): string {
    if (isInlineKeySet(this.#signingKeys)) return this.#signingKeys;
    try {
      return readKeyFile(this.#signingKeys, makeKeys);
    } catch (error) {
      if (error instanceof KeySetError) throw error;
      // Only the code: the message contains the file name, which may be a key that was damaged on its way here.
      throw new KeySetError(`the file cannot be used (${(error as NodeJS.ErrnoException).code})`);
    }
  }
}
