import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { isVerifiable, matchesForeign } from './foreign-hashes.ts';
import { type HashCost, isComputable } from './hash-cost.ts';
import type { HashQueue, Turn } from './hash-queue.ts';
import { formsOf, opaque } from './opaque-string.ts';

/**
 * What became of a check. `outdated`: the password is right, and should be hashed anew; `unusable`: there is no
 * hash, or none that can be checked here.
 */
export type Verdict = 'right' | 'outdated' | 'wrong' | 'unusable';

const LANES = 1;
/** RFC 9106 section 3.1. */
const MIN_SALT = 8;

const costOptions = ({ memory, passes }: HashCost) => ({ memoryCost: memory, timeCost: passes });

/** Argon2id hashes (RFC 9106) in the PHC string form; each waits for its turn. Refuses with `overloaded`. */
export class Passwords {
  /** What is hashed now costs this. */
  readonly cost: HashCost;
  readonly #options: argon2.HashOptions;
  readonly #queue: HashQueue;
  /** Of no password: what an unknown address is checked against, so that it costs the same. */
  readonly #decoy: string;

  constructor(cost: HashCost, queue: HashQueue) {
    this.cost = cost;
    this.#options = {
      type: argon2.argon2id,
      ...costOptions(cost),
      parallelism: LANES,
    };
    this.#queue = queue;
    const [salt, hash] = [16, 32].map((size) =>
      randomBytes(size).toString('base64').replace(/=+$/, ''),
    );
    this.#decoy = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${LANES}$${salt}$${hash}`;
  }

  /** Refuses with `overloaded` what would have no room in the queue. */
  assertRoom(turn: Turn): void {
    this.#queue.assertRoom(turn);
  }

  hash(password: string, turn?: Turn): Promise<string> {
    return this.#queue.run(() => argon2.hash(opaque(password), this.#options), turn);
  }

  /**
   * Costs one hash whatever `hash` is: of no user (undefined), damaged, or too costly to be checked. A password that
   * has more than one form costs one for each, and as many where there is no user.
   */
  check(hash: string | null | undefined, password: string, turn?: Turn): Promise<Verdict> {
    return this.#queue.run(async () => {
      const stored = hash ?? '';
      const forms = formsOf(password);
      const usable = isVerifiable(stored, this.cost);
      const matching = usable ? await formThatMatches(stored, forms).catch(() => null) : null;
      if (matching === null) {
        for (const form of forms) await argon2.verify(this.#decoy, form);
        return 'unusable';
      }
      if (matching === undefined) return 'wrong';
      return matching === forms[0] && !this.isOutdated(stored) ? 'right' : 'outdated';
    }, turn);
  }

  /** Whether `derive` can be asked for this: what stands in a row may be neither sound nor bearable. */
  canDerive({ salt, cost }: { salt: Buffer; cost: HashCost }): boolean {
    return salt.length >= MIN_SALT && isComputable(cost, this.cost);
  }

  /** The bare 32-byte hash under a given salt, at a given cost, for what is compared with several stored ones. */
  derive(
    secret: string,
    { salt, cost }: { salt: Buffer; cost: HashCost },
    turn?: Turn,
  ): Promise<Buffer> {
    const options = { ...this.#options, ...costOptions(cost), salt, raw: true as const };
    return this.#queue.run(() => argon2.hash(secret, options), turn);
  }

  /** Whether `hash` was made elsewhere, or with other costs than today's, and should be made anew from a password that matched. */
  isOutdated(hash: string): boolean {
    return !hash.startsWith('$argon2id$') || argon2.needsRehash(hash, this.#options);
  }
}

/** The form of a password that a verifiable hash was made of. Rejects where the hash is none after all. */
async function formThatMatches(hash: string, forms: string[]): Promise<string | undefined> {
  const isArgon2 = hash.startsWith('$argon2');
  const matches = isArgon2 ? argon2.verify : matchesForeign;
  // Other systems hash what was typed.
  for (const form of isArgon2 ? forms : forms.toReversed())
    if (await matches(hash, form)) return form;
  return undefined;
}
