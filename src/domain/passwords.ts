import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { Refusal } from './refusal.ts';

export interface HashCost {
  /** KiB. */
  memory: number;
  passes: number;
}

const LANES = 1;
const MAX_CODE_POINTS = 128;

/** NIST SP 800-63B section 3.1.1.2: one form, so that every keyboard's spelling is the same password. */
const normalised = (password: string): string => password.normalize('NFC');

/** Refuses a password that is too short or too long to be kept. `path`: where in the request it stands. */
export function checkPassword(password: string, minimum: number, path: string): void {
  const length = [...normalised(password)].length;
  if (length >= minimum && length <= MAX_CODE_POINTS) return;
  const message = `must have ${minimum} to ${MAX_CODE_POINTS} characters; it has ${length}`;
  throw new Refusal('invalid_input', { errors: [{ path, message }] });
}

/** Argon2id hashes (RFC 9106) in the PHC string form. */
export class Passwords {
  readonly #options: argon2.HashOptions;
  /** Of a password that nobody knows: what an unknown address is checked against, so that it costs the same. */
  readonly #decoy: Promise<string>;

  constructor({ memory, passes }: HashCost) {
    this.#options = {
      type: argon2.argon2id,
      memoryCost: memory,
      timeCost: passes,
      parallelism: LANES,
    };
    this.#decoy = this.hash(randomBytes(32).toString('base64url'));
  }

  hash(password: string): Promise<string> {
    return argon2.hash(normalised(password), this.#options);
  }

  /** Costs one hash whatever `hash` is: of no user (undefined), or damaged, it answers no. */
  async matches(hash: string | null | undefined, password: string): Promise<boolean> {
    const usable = hash?.startsWith('$argon2id$') ? hash : '';
    const same = await argon2.verify(usable, normalised(password)).catch(() => undefined);
    if (same === undefined) await argon2.verify(await this.#decoy, normalised(password));
    return same ?? false;
  }

  /** The bare 32-byte hash under a given salt, for what is compared with several stored ones. */
  derive(secret: string, salt: Buffer): Promise<Buffer> {
    return argon2.hash(secret, { ...this.#options, salt, raw: true });
  }

  /** Whether `hash` was made with other costs than today's, and should be made anew from a password that matched. */
  isOutdated(hash: string): boolean {
    return argon2.needsRehash(hash, this.#options);
  }
}
