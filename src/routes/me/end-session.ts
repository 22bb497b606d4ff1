import { z } from 'zod';
import { changeCaller } from '../../actions/accounts/caller.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withSessionEnded as end } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function endSession(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me/sessions/:id',
    config: { access: 'person', problems: ['not_found', 'unavailable'] },
    schema: {
      operationId: 'endSession',
      tags: ['Me'],
      summary: 'Sign a device out',
      description: 'Ends one of your sessions. `GET /v1/me/sessions` lists their IDs.',
      params: z.object({ id: z.string().describe('Session ID.') }),
      response: {
        204: NoContent.describe('The session has ended, and its access tokens are revoked.'),
      },
    },
    handler: async (request, reply) => {
      const { caller, params } = request;
      await changeCaller(context, caller, (user, now) => {
        const next = end(user, params.id, now);
        if (next === user) throw new Refusal('not_found');
        return { user: next, result: undefined };
      });
      logEvent(request, 'session.ended', { user: caller.sub, session: params.id });
      return reply.code(204).send(null);
    },
  });
}
