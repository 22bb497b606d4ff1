import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { DpopAlgorithm } from '../../schemas/dpop.ts';

/** The members that make a public key of each type, in the order of its thumbprint (RFC 7638 section 3.2, RFC 8037 section 2). */
const MEMBERS = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
} as const;

const RSA = { kty: 'RSA' } as const;
const ED25519 = { kty: 'OKP', crv: 'Ed25519' } as const;

const KINDS: Record<DpopAlgorithm, { kty: keyof typeof MEMBERS; crv?: string }> = {
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: ED25519,
  Ed25519: ED25519,
  PS256: RSA,
  RS256: RSA,
};

/** The private and symmetric members (RFC 7518 section 6). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A modulus of 2,048 to 4,096 bits, in base64url, and the one usual exponent: a long one would make each check slow. */
const MODULUS = /^[\w-]{342,683}$/;
const EXPONENT = 'AQAB';

export interface ProofKey {
  key: KeyObject;
  /** RFC 7638, SHA-256. */
  thumbprint: string;
}

/** The public key of a proof. undefined for a private, foreign, damaged or misspelt one. */
export function proofKeyOf(jwk: Record<string, unknown>, alg: DpopAlgorithm): ProofKey | undefined {
  const { kty, crv } = KINDS[alg];
  if (jwk['kty'] !== kty || jwk['crv'] !== crv) return undefined;
  if (PRIVATE.some((name) => Object.hasOwn(jwk, name))) return undefined;
  if (kty === 'RSA' && (jwk['e'] !== EXPONENT || !MODULUS.test(String(jwk['n'])))) return undefined;
  const members = Object.fromEntries(MEMBERS[kty].map((name) => [name, jwk[name]]));
  try {
    const key = createPublicKey({ key: members as JsonWebKey, format: 'jwk' });
    // One spelling for each key: another one would have another thumbprint.
    const exported = key.export({ format: 'jwk' }) as Record<string, unknown>;
    if (MEMBERS[kty].some((name) => exported[name] !== members[name])) return undefined;
    const thumbprint = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
    return { key, thumbprint };
  } catch {
    return undefined;
  }
}
