import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { OwnClaims, type OwnKind } from '../../schemas/claims.ts';
import type { PublicJwkSet, SigningAlgorithm } from '../../schemas/jwk.ts';
import {
  type KeySet,
  KeySetError,
  type KeyState,
  keyInUse,
  keyState,
  type MasterSecret,
  type SigningKey,
} from './key-set.ts';

/** Signs and verifies compact JWS of one kind with one key. `verify` throws if anything is wrong; it ignores times. */
export interface Jws {
  /** The first segment of every token that it makes, and the only one that it accepts. */
  header: string;
  sign(claims: object): string;
  /** A token of claims that are base64url already: megabytes of them, without holding up the event loop. */
  signLong(payload: Buffer): Promise<Buffer>;
  verify(token: string): unknown;
}

/** A key, the kind of token that it signs, and the issuer and audience. */
export interface JwsSpec {
  kind: TokenKind;
  typ: string;
  kid: string;
  alg: SigningAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
  issuer: string;
  audience: string;
  requiredClaims: string[];
  /** Signs from (ms); accepted until `notAfter` (ms). */
  notBefore: number;
  notAfter: number;
}

export type BuildJws = (specs: JwsSpec[]) => Promise<(Jws & JwsSpec)[]>;

/** `revocations`: the document for other services (`parts/revocations/revocation-document.ts`). */
export type TokenKind = 'access' | 'revocations' | OwnKind;

export interface Parties {
  issuer: string;
  audience: string;
  build: BuildJws;
}

const ownKinds = Object.keys(OwnClaims) as OwnKind[];

/** Derives a 32-byte key. Each purpose has its own label, so that no key has two uses (RFC 8725 section 3.12). */
export const derive = (
  master: Buffer,
  purpose: OwnKind | 'totp' | 'decoys' | 'clients' | 'nonces',
): Buffer => Buffer.from(hkdfSync('sha256', master, '', `latchkey/${purpose}`, 32));

const accessSpec = (key: SigningKey, { issuer, audience }: Parties): JwsSpec => ({
  ...key,
  kind: 'access',
  typ: 'at+jwt',
  issuer,
  audience,
  requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti'],
});

/** Signed with the key of the access tokens, so its `typ` and `aud` are others (RFC 8725 section 3.12). */
const revocationsSpec = (key: SigningKey, { issuer }: Parties): JwsSpec => ({
  ...key,
  kind: 'revocations',
  typ: 'revocations+jwt',
  issuer,
  audience: `${issuer}/.well-known/revocations`,
  requiredClaims: ['iss', 'aud', 'iat', 'exp'],
});

function ownSpec(master: MasterSecret, kind: OwnKind, { issuer }: Parties): JwsSpec {
  const { kid, notBefore, notAfter } = master;
  const key = createSecretKey(derive(master.secret, kind));
  return {
    kind,
    typ: `${kind}+jwt`,
    kid,
    alg: 'HS256',
    privateKey: key,
    publicKey: key,
    issuer,
    audience: issuer,
    requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat'],
    notBefore,
    notAfter,
  };
}

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
  #clientKey: Buffer = Buffer.alloc(0);
  #nonceKey: Buffer = Buffer.alloc(0);

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
    const specs = [
      ...set.signing.flatMap((key) => [
        accessSpec(key, this.#parties),
        revocationsSpec(key, this.#parties),
      ]),
      ...set.masters.flatMap((master) =>
        ownKinds.map((kind) => ownSpec(master, kind, this.#parties)),
      ),
    ];
    const built = await this.#parties.build(specs);
    this.#set = set;
    this.#clientKey = this.#lasting('clients');
    this.#nonceKey = this.#lasting('nonces');
    this.#jws = Map.groupBy(built, ({ kind }) => kind);
    this.#edition += 1;
  }

  /** The signer of tokens of this kind at `now` (ms). Throws KeySetError if every key has expired. */
  signer(kind: TokenKind, now: number): Jws {
    return orEnded(keyInUse(this.#jws.get(kind) as (Jws & JwsSpec)[], now));
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
   * The key that hides which addresses are guessed at. From the oldest master secret: a rotation changes it only when that
   * one leaves the key set.
   */
  decoyKey(): Buffer {
    return this.#lasting('decoys');
  }

  /** The key that hides the addresses of clients in Redis. It changes as seldom. */
  get clientKey(): Buffer {
    return this.#clientKey;
  }

  /** The key of the nonces of DPoP proofs. It changes as seldom. */
  get nonceKey(): Buffer {
    return this.#nonceKey;
  }

  #lasting(purpose: 'decoys' | 'clients' | 'nonces'): Buffer {
    const [oldest] = this.#set.masters.toSorted((a, b) => a.notBefore - b.notBefore);
    return derive((oldest as MasterSecret).secret, purpose);
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
