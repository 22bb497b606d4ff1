import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { AccessTokens } from '../domain/access-tokens.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AccessClaims } from '../schemas/claims.ts';

/**
 * Who may call a route: anyone (`public`); the holder of a token of the service's own, which the handler reads
 * from the body or the cookie (`own-token`); the bearer of an access token (`bearer`).
 */
export type Access = 'public' | 'own-token' | 'bearer';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The verified claims; set on routes with `access: 'bearer'`. */
    caller: AccessClaims;
  }
}

const BEARER = /^bearer ([\w.~+/-]+=*)$/i;

/** Reads the access token of the Authorization header, and of nothing else (RFC 6750 section 2.1). */
export function bearerOf(request: FastifyRequest, accessTokens: AccessTokens): AccessClaims {
  const header = request.headers.authorization;
  if (header === undefined || !/^bearer\b/i.test(header)) throw new Refusal('token_missing');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Refusal('token_invalid', { reason: 'not one bearer token' });
  return accessTokens.read(token);
}

/** From here on every route must say who may call it, and those that ask for a bearer get their guard. */
export function registerAccess(app: FastifyInstance, accessTokens: AccessTokens): void {
  app.decorateRequest('caller', null as unknown as AccessClaims);

  const guard = (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void) => {
    try {
      request.caller = bearerOf(request, accessTokens);
      done();
    } catch (error) {
      done(error as Error);
    }
  };

  app.addHook('onRoute', (route: RouteOptions) => {
    const access = route.config?.access;
    if (access === undefined) {
      throw new Error(
        `${String(route.method)} ${route.url} does not state config.access: who may call it?`,
      );
    }
    if (access === 'bearer') route.preHandler = [guard, ...[route.preHandler ?? []].flat()];
  });
}
