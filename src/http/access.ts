import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { readCaller } from '../actions/accounts/caller.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../rules/refusal.ts';
import type { AccessClaims } from '../schemas/claims.ts';
import type { User } from '../schemas/user.ts';
import { authenticatedClient, type ClientFields } from './oauth.ts';

/**
 * Who may call a route: anyone (`public`); an authenticated service account (`client`, RFC 6749 section 2.3); the
 * bearer of any access token (`bearer`), of a person's token (`person`), or of a token with a role. These are
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

const BEARER = /^bearer ([\w.~+/-]+=*)$/i;

/** The bearer token from the Authorization header only (RFC 6750 section 2.1). Refuses a missing or malformed one. */
export function bearerOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  // Most requests. The rest of the header is compared with known tokens, or its form is checked before it is parsed.
  if (header?.startsWith('Bearer ')) return header.slice('Bearer '.length);
  if (header === undefined || !/^bearer\b/i.test(header)) throw new Refusal('token_missing');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Refusal('token_invalid', { reason: 'not one bearer token' });
  return token;
}

/** Every route registered after this must declare `config.access`, and gets the guards for it. */
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
