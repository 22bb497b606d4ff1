import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { matchesForeign } from './foreign-hashes.ts';
import type { HashQueue, Turn } from './hash-queue.ts';

export interface HashCost {
  /** KiB. */
  memory: number;
  passes: number;
}

const LANES = 1;

/** NIST SP 800-63B section 3.1.1.2: one form, so that every keyboard's spelling is the same password. */
const normalised = (password: string): string => password.normalize('NFC');

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
    return this.#queue.run(() => argon2.hash(normalised(password), this.#options), turn);
  }

  /** Costs one hash whatever `hash` is: of no user (undefined), or damaged, it answers no. */
  matches(hash: string | null | undefined, password: string, turn?: Turn): Promise<boolean> {
    return this.#queue.run(async () => {
      const same = await matchesHash(hash ?? '', password).catch(() => undefined);
      if (same === undefined) await argon2.verify(this.#decoy, normalised(password));
      return same ?? false;
    }, turn);
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

/** undefined, or a rejection: the hash is none. */
const matchesHash = async (hash: string, password: string): Promise<boolean | undefined> =>
  hash.startsWith('$argon2')
    ? argon2.verify(hash, normalised(password))
    : matchesForeign(hash, password);
