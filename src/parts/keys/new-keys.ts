import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { PrivateJwk, SigningAlgorithm } from '../../schemas/jwk.ts';
import { thumbprint } from './key-set.ts';

const make: Record<SigningAlgorithm, () => object> = {
  ES256: () => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  RS256: () => jwkOf(generateKeyPairSync('rsa', { modulusLength: 3_072 })),
  PS256: () => jwkOf(generateKeyPairSync('rsa', { modulusLength: 3_072 })),
  EdDSA: () => jwkOf(generateKeyPairSync('ed25519')),
  HS256: () => ({ kty: 'oct', k: randomBytes(32).toString('base64url') }),
};

const jwkOf = ({ privateKey }: { privateKey: KeyObject }) => privateKey.export({ format: 'jwk' });

/** A new private key that signs access tokens from `nbf` on (seconds). */
export function newSigningKey(alg: SigningAlgorithm, nbf: number): PrivateJwk {
  const jwk = { ...make[alg](), use: 'sig', alg, nbf } as PrivateJwk;
  return { ...jwk, kid: thumbprint(jwk) };
}

/** A new master secret, used from `nbf` on (seconds). */
export function newMasterSecret(nbf: number): PrivateJwk {
  const jwk: PrivateJwk = {
    kty: 'oct',
    k: randomBytes(32).toString('base64url'),
    key_ops: ['deriveKey'],
    nbf,
  };
  return { ...jwk, kid: thumbprint(jwk) };
}
