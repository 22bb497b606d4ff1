import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { readCaller } from '../actions/accounts/caller.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../rules/refusal.ts';
import type { AccessClaims } from '../schemas/claims.ts';
import type { User } from '../schemas/user.ts';
import { claimsOf } from './access-token.ts';
import { authenticatedClient, type ClientFields } from './oauth.ts';

/**
 * Who may call a route: anyone (`public`); an authenticated service account (`client`, RFC 6749 section 2.3); the
 * holder of any access token (`bearer`), of a person's token (`person`), or of a token with a role. These are
 * enforced before the handler. `checked-by-handler`: the handler checks an own token or optional client
 * authentication itself, and refuses.
 */
export type Access =
  | 'public'
  | 'checked-by-handler'
  | 'client'
  | 'bearer'
  | 'person'
  | { role: string };

/** The role must be in the token and still in the row, because it guards security-critical actions. */
export const requireRole = (role: string): Access => ({ role });

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The verified claims; set on routes that require a bearer token. */
    caller: AccessClaims;
    /** The authenticated service account; set on routes that require a client. */
    client: User;
  }
}

export const needsBearer = (access: Access): boolean =>
  access === 'bearer' || access === 'person' || typeof access === 'object';

/** Every route registered after this must declare `config.access`, and gets the guards for it. */
export function registerAccess(app: FastifyInstance, context: Context): void {
  app.decorateRequest('caller', null as unknown as AccessClaims);
  app.decorateRequest('client', null as unknown as User);

  type Done = (error?: Error) => void;
  const guarded =
    (check: (request: FastifyRequest, reply: FastifyReply) => void) =>
    (request: FastifyRequest, reply: FastifyReply, done: Done) => {
      try {
        check(request, reply);
        done();
      } catch (error) {
        done(error as Error);
      }
    };

  const bearer = guarded((request, reply) => {
    request.caller = claimsOf(request, reply, { context, read: 'read' });
  });

  const person = guarded(({ caller }) => {
    if (caller.client_id === caller.sub)
      throw new Refusal('forbidden', {
        detail: 'Service accounts cannot use this route.',
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
        `${String(route.method)} ${route.url} does not declare config.access: who may call it?`,
      );
    }
    // Only OAuth routes answer client errors in the form of RFC 6749.
    if (access === 'client' && route.schema?.consumes === undefined) {
      throw new Error(`${route.url}: access 'client' is for OAuth routes only`);
    }
    route.preHandler = [...guardsOf(access), ...[route.preHandler ?? []].flat()];
  });
}
