import { isInlineKeySet, type PrivateJwk } from '../../schemas/jwk.ts';
import { readKeyFile } from '../storage/key-file.ts';
import { type KeySet, KeySetError, readKeySet } from './key-set.ts';

/** A missing file must not get new keys while the service runs: that would sign out every user. */
function makeNoKeys(): never {
  throw new KeySetError('the file is gone');
}

/** Where the key set comes from: SIGNING_KEYS contains it, or names its file. Refuses a bad key set with KeySetError. */
export class KeySetSource {
  readonly #signingKeys: string;

  constructor(signingKeys: string) {
    this.#signingKeys = signingKeys;
  }

  /** At the start: a missing file is created. */
  open(makeKeys: () => PrivateJwk[]): KeySet {
    return readKeySet(this.#text(makeKeys));
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
