import { z } from 'zod';
import { refreshSession } from '../../actions/sessions/refresh.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { wrongSessionKey } from '../../http/dpop.ts';
import { reportRefresh } from '../../http/refreshes.ts';
import { answerTokens, presentedRefresh } from '../../http/tokens.ts';
import { Refusal } from '../../rules/refusal.ts';
import { RefreshRequest, TokenAnswer } from '../../schemas/session.ts';

const Headers = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Identifies this attempt. A retry with the same token and key gets the same new token, however late it comes.',
    ),
});

export function refresh(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/refresh',
    config: {
      headers: { 200: ['Set-Cookie'], 401: ['Set-Cookie'] },
      access: 'checked-by-handler',
      takesDpopProof: true,
      problems: [
        'refresh_missing',
        'refresh_invalid',
        'refresh_reused',
        'ambiguous_credentials',
        'origin_forbidden',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'refresh',
      tags: ['Sessions'],
      summary: 'Renew the tokens',
      description:
        'Each refresh token works once. If the answer was lost, retry: the same new token comes back within 30 seconds (`REFRESH_GRACE`), and later if the retry has the same `Idempotency-Key` or the session is bound to a key (DPoP). Any other reuse means that the token was copied, and ends the session. The session remembers no `resource`: each request names the one that it wants.',
      security: [{ refreshCookie: [] }, {}],
      headers: Headers,
      body: RefreshRequest,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const presented = presentedRefresh(request, request.body, context);
      if (presented === undefined) throw new Refusal('refresh_missing');
      const audience = audienceOf(context, request.body?.resource);
      const rotation = await refreshSession(context, {
        ...presented,
        idempotencyKey: request.headers['idempotency-key'],
        jkt: request.binding.jkt,
      });
      reportRefresh(request, context, rotation);
      if (rotation.outcome === 'unproven') throw wrongSessionKey();
      if (rotation.outcome !== 'reused' && rotation.outcome !== 'invalid')
        return answerTokens(reply, context, { ...rotation, audience });
      if (presented.transport === 'cookie') clearRefreshCookie(reply, context.config);
      if (rotation.outcome === 'reused') throw new Refusal('refresh_reused');
      throw new Refusal('refresh_invalid');
    },
  });
}
