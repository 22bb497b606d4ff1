import { z } from 'zod';
import { revoke } from '../../actions/clients/token-holder.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { authenticatedClientIfAny, oauthResponses } from '../../http/oauth.ts';
import { TokenQuestion } from '../../schemas/oauth.ts';

const Revoked = z
  .object({})
  .meta({ id: 'Revoked', description: 'Revoked, or not valid before.', examples: [{}] });

export function revokeToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/oauth/revoke',
    config: { access: 'checked-by-handler', tighterLimit: true },
    schema: {
      operationId: 'revokeToken',
      tags: ['OAuth'],
      summary: 'Revoke a token (RFC 7009)',
      description:
        'Ends the session of the token. The token itself is enough to revoke it; a client may authenticate too. The answer for an invalid token is 200 as well.',
      consumes: ['application/x-www-form-urlencoded'],
      body: TokenQuestion,
      response: {
        200: Revoked,
        ...oauthResponses,
      },
    },
    handler: async (request) => {
      await authenticatedClientIfAny(request, request.body, context);
      const revoked = await revoke(context, request.body.token);
      if (revoked) logEvent(request, 'token.revoked', { user: revoked.sub, session: revoked.sid });
      return {};
    },
  });
}
