import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { emptied } from '../../domain/accounts.ts';
import { changeCaller, provenCaller } from '../../domain/fresh.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { Password } from '../../schemas/fields.ts';
import { NoContent } from '../../schemas/session.ts';

export function deleteMe(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me',
    config: { access: 'bearer', tighterLimit: true, problems: ['wrong_password', 'unavailable'] },
    schema: {
      operationId: 'deleteMe',
      tags: ['Me'],
      summary: 'Delete your account',
      description:
        'Needs the password again. Everything about you is gone at once, and every token with it.',
      body: z
        .strictObject({ password: Password })
        .meta({ examples: [{ password: 'correct horse battery staple' }] }),
      response: { 204: NoContent.describe('The account is gone.') },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      await provenCaller(context, caller, body.password);
      await changeCaller(context, caller, (user, now) => ({
        user: emptied(user, now),
        result: undefined,
      }));
      logEvent(request, 'account.deleted', { user: caller.sub });
      clearRefreshCookie(reply);
      return reply.code(204).send(null);
    },
  });
}
