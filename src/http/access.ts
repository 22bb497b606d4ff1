import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { readCaller } from '../actions/accounts/caller.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../rules/refusal.ts';
import type { AccessClaims } from '../schemas/claims.ts';
import type { User } from '../schemas/user.ts';
import { authenticatedClient, type ClientFields } from './oauth.ts';

/**
 * Who may call a route: anyone (`public`); a service account that authenticates (`client`, RFC 6749 section 2.3);
 * the bearer of any access token (`bearer`), of a person's (`person`), or of one with a role. These are enforced
 * before the handler. `checked-by-handler`: the handler itself reads a token of the service's own, or a client that
 * may but need not authenticate, and refuses.
 */
export type Access =
  | 'public'
  | 'checked-by-handler'
  | 'client'
  | 'bearer'
  | 'person'
  | { role: string };

/** The role must stand in the token, and still in the row: what a role opens changes security. */
export const requireRole = (role: string): Access => ({ role });

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The verified claims; set on routes that ask for a bearer. */
    caller: AccessClaims;
    /** The service account that authenticated; set on routes that ask for a client. */
    client: User;
  }
}

export const needsBearer = (access: Access): boolean =>
  access === 'bearer' || access === 'person' || typeof access === 'object';

const BEARER = /^bearer ([\w.~+/-]+=*)$/i;

/** The access token of the Authorization header, and of nothing else (RFC 6750 section 2.1). */
export function bearerOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  if (header === undefined || !/^bearer\b/i.test(header)) throw new Refusal('token_missing');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Refusal('token_invalid', { reason: 'not one bearer token' });
  return token;
}

/** From here on every route must say who may call it, and those that ask for a bearer get their guard. */
export function registerAccess(app: FastifyInstance, context: Context): void {
  app.decorateRequest('caller', null as unknown as AccessClaims);
  app.decorateRequest('client', null as unknown as User);

  type Done = (error?: Error) => void;
  const guarded =
    (check: (request: FastifyRequest) => void) =>
    (request: FastifyRequest, _reply: unknown, done: Done) => {
      try {
        check(request);
        done();
      } catch (error) {
        done(error as Error);
      }
    };

  const bearer = guarded((request) => {
    request.caller = context.accessTokens.read(bearerOf(request));
  });

  const person = guarded(({ caller }) => {
    if (caller.client_id === caller.sub)
      throw new Refusal('forbidden', {
        detail: 'This route is for people, not for service accounts.',
      });
  });

  const role =
    (name: string) =>
    async ({ caller }: FastifyRequest) => {
      if (!caller.roles.includes(name)) throw new Refusal('forbidden');
      const { roles } = await readCaller(context, caller);
      if (!roles.includes(name)) throw new Refusal('forbidden');
    };

  const client = async (request: FastifyRequest) => {
    request.client = await authenticatedClient(request, request.body as ClientFields, context);
  };

  const guardsOf = (access: Access) => {
    if (typeof access === 'object') return [bearer, role(access.role)];
    switch (access) {
      case 'public':
      case 'checked-by-handler':
        return [];
      case 'client':
        return [client];
      case 'bearer':
        return [bearer];
      case 'person':
        return [bearer, person];
    }
  };

  app.addHook('onRoute', (route: RouteOptions) => {
    const access = route.config?.access;
    if (access === undefined) {
      throw new Error(
        `${String(route.method)} ${route.url} does not state config.access: who may call it?`,
      );
    }
    // Only there do its refusals have the form that RFC 6749 gives them.
    if (access === 'client' && route.schema?.consumes === undefined) {
      throw new Error(`${route.url}: a client authenticates on OAuth routes alone`);
    }
    route.preHandler = [...guardsOf(access), ...[route.preHandler ?? []].flat()];
  });
}
