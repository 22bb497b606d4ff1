import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { Refusal } from '../../domain/refusal.ts';
import { refreshSession } from '../../domain/sessions/refresh.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { reportReuse } from '../../http/reuse.ts';
import { answerTokens, presentedRefresh } from '../../http/tokens.ts';
import { RefreshBody, TokenAnswer } from '../../schemas/session.ts';

const Headers = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Names this attempt: the same key again, at any later time, gets the same successor again.',
    ),
});

export function refresh(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/refresh',
    config: {
      access: 'own-token',
      problems: [
        'token_missing',
        'refresh_invalid',
        'refresh_reused',
        'ambiguous_credentials',
        'origin_forbidden',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'refresh',
      tags: ['Sessions'],
      summary: 'Renew the tokens',
      description:
        'Each refresh token is good once. A retry whose answer was lost gets the same successor again; a token that was used before that ends the session.',
      security: [{ refreshCookie: [] }, {}],
      headers: Headers,
      body: RefreshBody,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const presented = presentedRefresh(request, request.body, context);
      if (presented === undefined) throw new Refusal('token_missing');
      const rotation = await refreshSession(context, {
        ...presented,
        attempt: request.headers['idempotency-key'],
      });
      if (rotation.outcome === 'rotated' || rotation.outcome === 'repeated') {
        return answerTokens(reply, context, rotation);
      }
      if (presented.transport === 'cookie') clearRefreshCookie(reply, context.config);
      if (rotation.outcome === 'invalid') throw new Refusal('refresh_invalid');
      reportReuse(request, context, rotation);
      throw new Refusal('refresh_reused');
    },
  });
}
