import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import { invalidProof } from '../parts/dpop/dpop-proofs.ts';
import { Refusal } from '../rules/refusal.ts';
import type { AccessClaims } from '../schemas/claims.ts';
import { provenKey } from './dpop.ts';

const BEARER = /^bearer /i;
const DPOP = /^dpop /i;

/** Whether the request sends its access token in the scheme `DPoP` (RFC 9449 section 7.1). */
export const isDpopScheme = ({ headers: { authorization } }: FastifyRequest): boolean =>
  authorization !== undefined && /^dpop\b/i.test(authorization);

/**
 * The claims of the access token that the Authorization header, and nothing else, sends. It may have any form: it is
 * compared with known tokens, or its form is checked before it is parsed. A bearer token (RFC 6750 section 2.1) must not
 * be bound to a key; one in the scheme `DPoP` needs a DPoP proof of its key. `read`: which check of the token.
 */
export function claimsOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, read }: { context: Context; read: 'read' | 'readEvenRevoked' },
): AccessClaims {
  const { authorization } = request.headers;
  const { accessTokens } = context;
  if (authorization !== undefined && BEARER.test(authorization)) {
    const claims = accessTokens[read](authorization.slice(7));
    if (claims.cnf !== undefined) throw new Refusal('token_bound');
    return claims;
  }
  if (authorization === undefined || !/^(?:bearer|dpop)\b/i.test(authorization))
    throw new Refusal('token_missing');
  if (!DPOP.test(authorization))
    throw new Refusal('token_invalid', { reason: 'no space after the scheme' });
  const token = authorization.slice(5);
  const claims = accessTokens[read](token);
  if (claims.cnf === undefined)
    throw new Refusal('token_invalid', { reason: 'not bound to a key' });
  const { dpopProofs } = context;
  if (provenKey(request, reply, { dpopProofs, token }) !== claims.cnf.jkt)
    throw invalidProof('The proof is not signed by the key of the access token.');
  return claims;
}
