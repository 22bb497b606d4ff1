import {
  type AsymmetricKeyDetails,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type PrivateJwk, PrivateJwkSet, type SigningAlgorithm } from '../../schemas/jwk.ts';
import { publishedKeys } from './published-keys.ts';

export interface Lifetime {
  kid: string;
  /** Signs or encrypts from (ms). */
  notBefore: number;
  /** Accepted until (ms); Infinity: not replaced yet. */
  notAfter: number;
}

/** A key that signs access tokens. */
export interface SigningKey extends Lifetime {
  alg: SigningAlgorithm;
  /** With HS256, both are the shared secret. */
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** Absent for HS256: a shared secret is never published. */
  publicJwk?: JsonWebKey;
}

/** The secret from which the keys of own tokens and of TOTP encryption are derived. */
export interface MasterSecret extends Lifetime {
  secret: Buffer;
}

export type Key = SigningKey | MasterSecret;

export interface KeySet {
  signing: SigningKey[];
  masters: MasterSecret[];
}

/** Says what is wrong with a key set and which key it is; never contains key material. */
export class KeySetError extends Error {}

const ALGORITHMS: Record<PrivateJwk['kty'], SigningAlgorithm[]> = {
  EC: ['ES256'],
  RSA: ['RS256', 'PS256'],
  OKP: ['EdDSA'],
  oct: ['HS256'],
};

/** The members of a thumbprint, in their order (RFC 7638 section 3.2, RFC 8037 section 2). */
const THUMBPRINT_MEMBERS = {
  EC: ['crv', 'kty', 'x', 'y'],
  RSA: ['e', 'kty', 'n'],
  OKP: ['crv', 'kty', 'x'],
  oct: ['k', 'kty'],
};

/** The JWK thumbprint (RFC 7638): SHA-256 in base64url. */
export function thumbprint(jwk: PrivateJwk | (JsonWebKey & { kty: PrivateJwk['kty'] })): string {
  const members = THUMBPRINT_MEMBERS[jwk.kty].map((name) => [name, jwk[name]]);
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}

function secretOf(jwk: PrivateJwk): Buffer {
  const secret = Buffer.from(typeof jwk['k'] === 'string' ? jwk['k'] : '', 'base64url');
  // A non-canonical encoding of the same secret would have another thumbprint.
  if (secret.toString('base64url') !== jwk['k'])
    throw new KeySetError('its secret is not base64url');
  // RFC 7518 section 3.2, RFC 8725 section 3.5: at least 256 bits, and not a password.
  if (secret.length < 32) throw new KeySetError('its secret is shorter than 32 bytes');
  if (new Set(secret).size < 16 || /^[\x20-\x7e]+$/.test(secret.toString('latin1'))) {
    throw new KeySetError('its secret is text, not 32 random bytes');
  }
  return secret;
}

function privateKeyOf(jwk: PrivateJwk): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    throw new KeySetError('it is not a private key');
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails as AsymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa' && Number(modulusLength) < 2_048) {
    throw new KeySetError('RSA keys need 2048 bits or more');
  }
  if (key.asymmetricKeyType === 'ec' && namedCurve !== 'prime256v1') {
    throw new KeySetError('EC keys must be on the curve P-256');
  }
  if (jwk.kty === 'OKP' && key.asymmetricKeyType !== 'ed25519') {
    throw new KeySetError('OKP keys must be on the curve Ed25519');
  }
  return key;
}

function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const probe = Buffer.from('probe');
  try {
    return verify(null, probe, publicKey, sign(null, probe, privateKey));
  } catch {
    return false;
  }
}

function signingKeyOf(jwk: PrivateJwk, life: Lifetime): SigningKey {
  const alg = jwk.alg ?? ALGORITHMS[jwk.kty][0];
  if (alg === undefined || !ALGORITHMS[jwk.kty].includes(alg)) {
    throw new KeySetError('its alg does not match its kty');
  }
  if (jwk.kty === 'oct') {
    const secret = createSecretKey(secretOf(jwk));
    return { ...life, alg, privateKey: secret, publicKey: secret };
  }
  const privateKey = privateKeyOf(jwk);
  const publicKey = createPublicKey(privateKey);
  const publicJwk = publicKey.export({ format: 'jwk' }) as JsonWebKey & Pick<PrivateJwk, 'kty'>;
  // The published key and its thumbprint come from the public half in the file, so it must match the private half.
  if (!isPair(privateKey, publicKey) || thumbprint(publicJwk) !== life.kid)
    throw new KeySetError('its public half does not match its private half');
  return { ...life, alg, privateKey, publicKey, publicJwk };
}

function lifetimeOf(jwk: PrivateJwk): Lifetime {
  const kid = thumbprint(jwk);
  if (jwk.kid !== undefined && jwk.kid !== kid)
    throw new KeySetError('its kid is not its thumbprint (RFC 7638)');
  if (publishedKeys.has(kid))
    throw new KeySetError('it is an example from a public document, so everyone knows it');
  return { kid, notBefore: (jwk.nbf ?? 0) * 1_000, notAfter: (jwk.exp ?? Infinity) * 1_000 };
}

/** Reads a private JWK set: keys with `use: "sig"` sign access tokens, other `oct` keys are master secrets. */
export function readKeySet(json: string): KeySet {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch {
    throw new KeySetError(
      json.includes('-----BEGIN')
        ? 'it is PEM, but must be a private JWK set (JSON): convert it to JWK'
        : 'it is not JSON',
    );
  }
  const parsed = PrivateJwkSet.safeParse(input);
  if (!parsed.success) {
    throw new KeySetError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  }
  const set: KeySet = { signing: [], masters: [] };
  const kids = new Set<string>();
  for (const [index, jwk] of parsed.data.keys.entries()) {
    try {
      const life = lifetimeOf(jwk);
      if (kids.has(life.kid)) throw new KeySetError('it appears twice');
      kids.add(life.kid);
      if (jwk.use === 'sig') set.signing.push(signingKeyOf(jwk, life));
      else if (jwk.kty === 'oct') set.masters.push({ ...life, secret: secretOf(jwk) });
      else throw new KeySetError('it needs "use": "sig"');
    } catch (error) {
      throw new KeySetError(`key ${index}: ${(error as Error).message}`);
    }
  }
  return set;
}

export type KeyState = 'published' | 'signing' | 'verifying' | 'gone';

/** The key in use at `now` (ms): the newest that has started and has not expired. */
export function keyInUse<Key extends Lifetime>(keys: Key[], now: number): Key | undefined {
  return keys
    .filter(({ notBefore, notAfter }) => notBefore <= now && now < notAfter)
    .reduce<Key | undefined>(
      (newest, key) => (newest && newest.notBefore >= key.notBefore ? newest : key),
      undefined,
    );
}

/** The oldest key that has not ended at `now` (ms). Which one it is changes as seldom as possible, and for all nodes at once. */
export function oldestKey<Key extends Lifetime>(keys: Key[], now: number): Key | undefined {
  return keys
    .filter(({ notAfter }) => now < notAfter)
    .toSorted((a, b) => a.notBefore - b.notBefore)[0];
}

export function keyState(key: Lifetime, keys: Lifetime[], now: number): KeyState {
  if (now >= key.notAfter) return 'gone';
  if (now < key.notBefore) return 'published';
  return keyInUse(keys, now) === key ? 'signing' : 'verifying';
}
