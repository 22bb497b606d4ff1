import { DpopClaims, DpopHeader } from '../../schemas/dpop.ts';
import { bytesOfBase64url } from '../base64url.ts';
import { MAX_TOKEN_LENGTH } from '../tokens/compact-jws.ts';
import { ALGORITHMS } from '../tokens/jws-algorithms.ts';
import { proofKeyOf } from './proof-key.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function jsonOf(segment: string): unknown {
  const bytes = bytesOfBase64url(segment);
  try {
    return bytes && JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** What a DPoP proof says, and the thumbprint of the key that signed it. */
export interface ReadProof {
  claims: DpopClaims;
  thumbprint: string;
}

/** Reads a DPoP proof and checks its signature with the key in it (RFC 9449 section 4.3, points 2 to 7). undefined if it is none. */
export function readProof(text: string): ReadProof | undefined {
  if (text.length > MAX_TOKEN_LENGTH) return undefined;
  const [first, second, third, ...more] = text.split('.');
  if (!first || !second || !third || more.length > 0) return undefined;
  const header = DpopHeader.safeParse(jsonOf(first)).data;
  const claims = DpopClaims.safeParse(jsonOf(second)).data;
  const signature = bytesOfBase64url(third);
  const proofKey = header && proofKeyOf(header.jwk, header.alg);
  if (!header || !claims || !signature || !proofKey) return undefined;
  const algorithm = ALGORITHMS[header.alg === 'Ed25519' ? 'EdDSA' : header.alg];
  const input = Buffer.from(`${first}.${second}`);
  if (!algorithm.verify(input, proofKey.key, signature)) return undefined;
  return { claims, thumbprint: proofKey.thumbprint };
}
