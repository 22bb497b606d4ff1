import { z } from 'zod';
import { ADMIN, administer } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function endUserSessions(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/users/:id/sessions',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'endUserSessions',
      tags: ['Administration'],
      summary: 'Sign a user out everywhere',
      description: 'Ends every session. The user can sign in again with the same password.',
      params: z.object({ id: z.string() }),
      response: {
        204: NoContent.describe('Every session has ended, and every access token is revoked.'),
      },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      await administer(context, { id: params.id, kind: 'person' }, (user, now) => ({
        user: withEverySessionEnded(user, now),
        result: undefined,
      }));
      logEvent(request, 'admin.sessions_ended', { actor: caller.sub, user: params.id });
      return reply.code(204).send(null);
    },
  });
}
