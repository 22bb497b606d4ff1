import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { isVerifiable, matchesForeign } from './foreign-hashes.ts';
import { type HashCost, isComputable } from './hash-cost.ts';
import type { HashQueue, Turn } from './hash-queue.ts';
import { formsOf, opaque } from './opaque-string.ts';

/**
 * The result of a check. `outdated`: the password is right but should be hashed again. `unusable`: there is no hash,
 * or it cannot be checked here.
 */
export type Verdict = 'right' | 'outdated' | 'wrong' | 'unusable';

const LANES = 1;
/** RFC 9106 section 3.1. */
const MIN_SALT = 8;

const costOptions = ({ memory, passes }: HashCost) => ({ memoryCost: memory, timeCost: passes });

/** Makes and checks Argon2id hashes (RFC 9106), as PHC strings. Each is queued, or refused with `overloaded`. */
export class Passwords {
  /** The cost of new hashes. */
  readonly cost: HashCost;
  readonly #options: argon2.HashOptions;
  readonly #queue: HashQueue;
  /** A hash of no password. A guess at an unknown address is checked against it, so that it costs the same. */
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

  /** Refuses with `overloaded` if the queue is full. */
  assertRoom(turn: Turn): void {
    this.#queue.assertRoom(turn);
  }

  hash(password: string, turn?: Turn): Promise<string> {
    return this.#queue.run(() => argon2.hash(opaque(password), this.#options), turn);
  }

  /**
   * Costs one hash per form of the password, whether the user exists (undefined: no user), and whether the stored hash
   * is sound, damaged or too costly to check.
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

  /** Whether `derive` may be called with these values: a row's may be damaged or too costly. */
  canDerive({ salt, cost }: { salt: Buffer; cost: HashCost }): boolean {
    return salt.length >= MIN_SALT && isComputable(cost, this.cost);
  }

  /** The raw 32-byte hash with a given salt and cost, for a secret that is compared with several stored hashes. */
  derive(
    secret: string,
    { salt, cost }: { salt: Buffer; cost: HashCost },
    turn?: Turn,
  ): Promise<Buffer> {
    const options = { ...this.#options, ...costOptions(cost), salt, raw: true as const };
    return this.#queue.run(() => argon2.hash(secret, options), turn);
  }

  /** Whether `hash` was made elsewhere or with other costs, and should be replaced when a password matches it. */
  isOutdated(hash: string): boolean {
    return !hash.startsWith('$argon2id$') || argon2.needsRehash(hash, this.#options);
  }
}

/** Other systems hash the password as typed, so that form comes first; Better Auth hashes its NFKC. */
const formsElsewhere = (forms: string[]): string[] => [
  ...new Set([...forms.toReversed(), (forms[0] as string).normalize('NFKC')]),
];

/** The form that matches a verifiable hash, or undefined. Rejects if the library cannot parse the hash. */
async function formThatMatches(hash: string, forms: string[]): Promise<string | undefined> {
  const isArgon2 = hash.startsWith('$argon2');
  const matches = isArgon2 ? argon2.verify : matchesForeign;
  for (const form of isArgon2 ? forms : formsElsewhere(forms))
    if (await matches(hash, form)) return form;
  return undefined;
}
