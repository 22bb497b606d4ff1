import { changeCaller } from '../../actions/accounts/caller.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function endSessions(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me/sessions',
    config: { headers: { 204: ['Set-Cookie'] }, access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'endSessions',
      tags: ['Me'],
      summary: 'Sign out everywhere',
      description: 'Ends every session, including this one.',
      response: {
        204: NoContent.describe('Every session has ended, and every access token is revoked.'),
      },
    },
    handler: async (request, reply) => {
      const { caller } = request;
      await changeCaller(context, caller, (user, now) => ({
        user: withEverySessionEnded(user, now),
        result: undefined,
      }));
      logEvent(request, 'session.all_ended', { user: caller.sub });
      clearRefreshCookie(reply, context.config);
      return reply.code(204).send(null);
    },
  });
}
