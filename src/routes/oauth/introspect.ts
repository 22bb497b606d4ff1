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
      summary: 'Ask whether a token holds (RFC 7662)',
      description: 'For service accounts. Answers by the row as it is now, not by the token alone.',
      consumes: ['application/x-www-form-urlencoded'],
      body: TokenQuestion,
      response: { 200: Introspection, ...oauthResponses },
    },
    handler: async ({ body }) => introspect(context, body.token),
  });
}
