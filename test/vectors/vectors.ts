import type { JsonWebKey } from 'node:crypto';
import type { PrivateJwk, SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { encode, Forger, signature } from '../attacks/forger.ts';
import { accepted, ofClaims, ofKind, ofTime } from './by-claims.ts';
import { ofForm, ofHeader, ofSignature } from './by-form.ts';
import { ofAlgorithm, ofKey } from './by-key.ts';
import { audience, CLAIMS, issuer, now, typ } from './valid.ts';

export const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[];
export type VectorAlgorithm = (typeof ALGORITHMS)[number];

export interface Vector {
  id: string;
  verdict: 'accept' | 'refuse';
  why: string;
  /** What says so. */
  source: string;
  token: string;
}

export interface VectorSet {
  /** Semantic: a changed verdict or token is a new major version, more tokens are a minor one. */
  version: string;
  alg: VectorAlgorithm;
  /** The time at which the verdicts hold (seconds). */
  now: number;
  issuer: string;
  audience: string;
  typ: string;
  jwks: { keys: Record<string, unknown>[] };
  tokens: Vector[];
}

/** The private test keys: the one in the key set, and one that no verifier trusts. */
export type VectorKeys = Record<VectorAlgorithm, { trusted: PrivateJwk; stranger: PrivateJwk }>;

/** What is signed, so that a token whose signature is random need not change when the files are made again. */
const inputOf = (token = '') => token.slice(0, token.lastIndexOf('.') + 1);

/** The set of an algorithm. Keeps the tokens of `previous` whose signed part is the same. */
export function vectorSetOf(
  alg: VectorAlgorithm,
  { trusted, stranger }: VectorKeys[VectorAlgorithm],
  previous?: VectorSet,
): VectorSet {
  const kept = (id: string, token: string) => {
    const old = previous?.tokens.find((vector) => vector.id === id)?.token;
    return old?.includes('.') && inputOf(old) === inputOf(token) ? old : token;
  };
  const input = `${encode({ alg, typ, kid: trusted.kid })}.${encode(CLAIMS)}`;
  const valid = kept('valid', `${input}.${encode(signature(input, trusted))}`);
  const forger = new Forger(valid, trusted);
  const tokens = [
    ...accepted(forger),
    ...ofTime(forger),
    ...ofClaims(forger),
    ...ofKind(forger),
    ...ofAlgorithm(forger),
    ...ofKey(forger, stranger),
    ...ofHeader(forger),
    ...ofSignature(forger),
    ...ofForm(forger),
  ].map(([id, verdict, why, source, token]) => ({
    id,
    verdict,
    why,
    source,
    token: kept(id, token),
  }));
  const { kty, kid, use, crv, x, y, n, e } = trusted as JsonWebKey & PrivateJwk;
  // JSON drops the members that this type of key lacks.
  const key = JSON.parse(JSON.stringify({ kty, use, alg, kid, crv, x, y, n, e }));
  return { version: '1.0.0', alg, now, issuer, audience, typ, jwks: { keys: [key] }, tokens };
}
