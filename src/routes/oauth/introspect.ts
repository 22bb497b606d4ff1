import { introspect } from '../../actions/clients/token-holder.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { oauthResponses } from '../../http/oauth.ts';
import { Introspection, TokenQuestion } from '../../schemas/oauth.ts';

export function introspectToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/oauth/introspect',
    config: { access: 'client' },
    schema: {
      operationId: 'introspectToken',
      tags: ['OAuth'],
      summary: 'Check a token (RFC 7662)',
      description:
        'For service accounts. Checks the token and the present state of its user in the database.',
      consumes: ['application/x-www-form-urlencoded'],
      body: TokenQuestion,
      response: { 200: Introspection, ...oauthResponses },
    },
    handler: async ({ body }) => introspect(context, body.token),
  });
}
