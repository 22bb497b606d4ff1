import type { PublicJwkSet } from '../../schemas/jwk.ts';
import { type LastingKeys, lastingKeysOf } from './derived-keys.ts';
import { type Jws, type JwsSpec, type Parties, specsOf, type TokenKind } from './jws-specs.ts';
import {
  type KeySet,
  KeySetError,
  type KeyState,
  keyInUse,
  keyState,
  type MasterSecret,
  oldestKey,
  type SigningKey,
} from './key-set.ts';

function orEnded<Key>(key: Key | undefined): Key {
  if (key === undefined) throw new KeySetError('every key has expired');
  return key;
}

/** All keys, ready to sign and verify. `replace` changes the whole set while the service runs. */
export class KeyRing {
  readonly #parties: Parties;
  #set: KeySet = { signing: [], masters: [] };
  #jws = new Map<TokenKind, (Jws & JwsSpec)[]>();
  #edition = 0;
  /** One for each master secret. */
  #lasting: LastingKeys[] = [];

  private constructor(parties: Parties) {
    this.#parties = parties;
  }

  static async open(set: KeySet, now: number, parties: Parties): Promise<KeyRing> {
    const ring = new KeyRing(parties);
    await ring.replace(set, now);
    return ring;
  }

  /** Goes up by one whenever the keys change; results verified with older keys must then be dropped. */
  get edition(): number {
    return this.#edition;
  }

  /** Throws KeySetError, and keeps the old keys, if the set could not sign at `now` (ms). */
  async replace(set: KeySet, now: number): Promise<void> {
    if (keyInUse(set.signing, now) === undefined) {
      throw new KeySetError('no signing key ("use": "sig") is in use now');
    }
    if (keyInUse(set.masters, now) === undefined) {
      throw new KeySetError('no master secret ("kty": "oct") is in use now');
    }
    const built = await this.#parties.build(specsOf(set, this.#parties));
    this.#set = set;
    this.#lasting = set.masters.map(lastingKeysOf);
    this.#jws = Map.groupBy(built, ({ kind }) => kind);
    this.#edition += 1;
  }

  /** The signer of tokens of this kind at `now` (ms). Throws KeySetError if every key has expired. */
  signer(kind: TokenKind, now: number): Jws & JwsSpec {
    return orEnded(keyInUse(this.#jws.get(kind) as (Jws & JwsSpec)[], now));
  }

  /** The most characters that count, besides its payload, in a token of this kind that is signed at `now` (ms) or later. */
  overhead(kind: TokenKind, now: number): number {
    const all = this.#jws.get(kind) as (Jws & JwsSpec)[];
    const usable = all.filter(({ notAfter }) => now < notAfter);
    return Math.max(0, ...usable.map(({ overhead }) => overhead));
  }

  /** The verifier whose header equals `header` byte for byte, so that no header is ever parsed. */
  verifier(kind: TokenKind, header: string, now: number): (Jws & JwsSpec) | undefined {
    return this.#jws.get(kind)?.find((jws) => jws.header === header && now < jws.notAfter);
  }

  /** The key that signs access tokens at `now` (ms). */
  signingKey(now: number): SigningKey | undefined {
    return keyInUse(this.#set.signing, now);
  }

  /** The master secret that encrypts at `now` (ms). Throws KeySetError if every one has expired. */
  masterInUse(now: number): MasterSecret {
    return orEnded(keyInUse(this.#set.masters, now));
  }

  /** The master secret with this `kid`, expired or not, to decrypt stored data. */
  masterOf(kid: string): MasterSecret | undefined {
    return this.#set.masters.find((master) => master.kid === kid);
  }

  /**
   * The key that hides which addresses are guessed at, at `now` (ms). From the oldest master secret that has not ended: a
   * rotation changes it only half a year later, and one that has leaked is not used.
   */
  decoyKey(now: number): Buffer {
    return this.#lastingAt(now).decoys;
  }

  /** The key that hides the addresses of clients in Redis. It changes as seldom. */
  clientKey(now: number): Buffer {
    return this.#lastingAt(now).clients;
  }

  /** The key of the nonces of DPoP proofs. It changes as seldom. */
  nonceKey(now: number): Buffer {
    return this.#lastingAt(now).nonces;
  }

  /** When all have ended nobody can sign in, and requests are still counted. */
  #lastingAt(now: number): LastingKeys {
    return oldestKey(this.#lasting, now) ?? (this.#lasting[0] as LastingKeys);
  }

  /** For both uses: how many keys are in each state at `now` (ms), and when the last one ends (ms). */
  lifetimes(now: number) {
    const { signing, masters } = this.#set;
    const uses = [
      { use: 'access_tokens', all: signing },
      { use: 'own_tokens', all: masters },
    ];
    return uses.map(({ use, all }) => {
      const states: Record<KeyState, number> = { published: 0, signing: 0, verifying: 0, gone: 0 };
      for (const key of all) states[keyState(key, all, now)] += 1;
      return { use, states, ends: Math.max(...all.map(({ notAfter }) => notAfter)) };
    });
  }

  /** The public keys at `now` (ms), including those that will sign later, so that verifiers have them in time. */
  publicKeys(now: number): PublicJwkSet {
    const keys = this.#set.signing.flatMap(({ kid, alg, publicJwk, notAfter }) =>
      publicJwk === undefined || now >= notAfter
        ? []
        : [{ ...publicJwk, kty: publicJwk.kty as string, use: 'sig' as const, alg, kid }],
    );
    return { keys };
  }
}
