import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Context } from '../context.ts';
import { invalidProof } from '../parts/dpop/dpop-proofs.ts';
import { Refusal } from '../rules/refusal.ts';
import type { Binding } from '../rules/sessions.ts';
import { absoluteForm } from './host.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Issues tokens: a DPoP proof, if there is one, is checked and binds them. */
    takesDpopProof?: true;
  }
  interface FastifyRequest {
    /** The key of the DPoP proof; empty without one. Set on routes that take one. */
    binding: Binding;
  }
}

/** `Prefer: token_type=Bearer` (RFC 7240 section 2). */
const BEARER_PREFERRED = /(?:^|[,;])\s*token_type\s*=\s*"?bearer"?\s*(?:$|[,;])/i;

const pathOf = ({ originalUrl }: FastifyRequest): string =>
  (absoluteForm(originalUrl)?.path ?? originalUrl).split('?', 1)[0] as string;

/** The thumbprint of the key that has signed the DPoP proof of this request. `token`: the access token that it must name. */
export function provenKey(
  request: FastifyRequest,
  reply: FastifyReply,
  { dpopProofs, token }: Pick<Context, 'dpopProofs'> & { token?: string },
): string {
  const giveNonce = () => reply.header('dpop-nonce', dpopProofs.nonce());
  try {
    const { jkt, usesNonces } = dpopProofs.check({
      proof: request.headers['dpop'] as string | undefined,
      method: request.method,
      path: pathOf(request),
      ...(token !== undefined && { token }),
    });
    if (usesNonces) giveNonce();
    return jkt;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'use_dpop_nonce') giveNonce();
    throw error;
  }
}

/** The refusal of a refresh whose session has another key, or none. It ends nothing. */
export const wrongSessionKey = () =>
  invalidProof(
    'The session is bound to another key, or to none. Sign in again if the key is lost.',
  );

/** Every route registered after this that takes a DPoP proof checks it. Follows `registerAccess`. */
export function registerDpop(app: FastifyInstance, context: Context): void {
  app.decorateRequest('binding', null as unknown as Binding);

  const bind = async (request: FastifyRequest, reply: FastifyReply) => {
    const { dpop, prefer } = request.headers;
    if (dpop === undefined) {
      request.binding = {};
      return;
    }
    const jkt = provenKey(request, reply, context);
    const isBearer = BEARER_PREFERRED.test(String(prefer));
    request.binding = { jkt, ...(isBearer && { is_bearer: true }) };
  };

  app.addHook('onRoute', (route: RouteOptions) => {
    if (!route.config?.takesDpopProof) return;
    // `registerAccess` has made it a list.
    const guards = route.preHandler as (typeof bind)[];
    route.preHandler = [...guards, bind];
  });
}
