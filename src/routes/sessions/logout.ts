import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { ended } from '../../domain/clients/token-holder.ts';
import { Refusal } from '../../domain/refusal.ts';
import { bearerOf } from '../../http/access.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { presentedRefresh } from '../../http/tokens.ts';
import { NoContent, RefreshBody } from '../../schemas/session.ts';

export function logout(app: App, context: Context): void {
  const { users, ownTokens, accessTokens, clock } = context;
  app.route({
    method: 'POST',
    url: '/v1/logout',
    config: {
      access: 'own-token',
      problems: [
        'token_missing',
        'token_expired',
        'token_invalid',
        'ambiguous_credentials',
        'origin_forbidden',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'logout',
      tags: ['Sessions'],
      summary: 'Sign out',
      description:
        'Ends the session of the refresh token (body or cookie) or of the access token. A session that had ended already is no error.',
      security: [{ bearer: [] }, { refreshCookie: [] }, {}],
      body: RefreshBody,
      response: { 204: NoContent.describe('The session has ended.') },
    },
    handler: async (request, reply) => {
      const presented = presentedRefresh(request, request.body, context);
      const named = presented ? ownTokens.read('refresh', presented.token) : sessionOfBearer();
      if (presented?.transport === 'cookie') clearRefreshCookie(reply);
      if (named) {
        const changed = await users.change(named.sub, (user) => {
          const next = ended(user, named.sid, clock());
          return { user: next, result: next !== user };
        });
        if (changed) logEvent(request, 'session.ended', { user: named.sub, session: named.sid });
      }
      return reply.code(204).send(null);

      function sessionOfBearer() {
        try {
          return bearerOf(request, accessTokens);
        } catch (error) {
          if (error instanceof Refusal && error.code === 'token_revoked') return undefined;
          throw error;
        }
      }
    },
  });
}
