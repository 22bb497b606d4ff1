import { z } from 'zod';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { oauthResponses } from '../../../http/oauth.ts';
import { Provider, ProviderAnswer } from '../../../schemas/identity.ts';
import { NoContent } from '../../../schemas/session.ts';

/**
 * For providers that answer with a form (OAuth 2.0 Form Post Response Mode). It comes from another site, so it has no cookie; the
 * request that follows it has.
 */
export function comeBackWithForm(app: App, { config }: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/:provider/callback',
    config: { headers: { 303: ['Location'] }, access: 'public', tighterLimit: true },
    schema: {
      operationId: 'comeBackWithForm',
      tags: ['Providers'],
      summary: 'Come back from an outside provider that answers with a form',
      description:
        'Apple answers in this way. Leads to the same URL with `GET`, which does the work: it gets the cookie of this browser.',
      consumes: ['application/x-www-form-urlencoded'],
      params: z.object({ provider: Provider }),
      body: ProviderAnswer,
      response: { 303: NoContent.describe('On to the same URL.'), ...oauthResponses },
    },
    handler: async ({ params, body }, reply) => {
      const query = new URLSearchParams(body as Record<string, string>);
      return reply.redirect(`${config.ISSUER}/v1/login/${params.provider}/callback?${query}`, 303);
    },
  });
}
