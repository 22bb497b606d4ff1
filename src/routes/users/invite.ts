import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { userView } from '../../domain/accounts/views.ts';
import { ADMIN, inviteUser as invite } from '../../domain/administration/administration.ts';
import { requireRole } from '../../http/access.ts';
import { logEvent } from '../../http/logging.ts';
import { NewUser, UserView } from '../../schemas/administration.ts';

export function inviteUser(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/users',
    config: { access: requireRole(ADMIN), problems: ['email_taken'] },
    schema: {
      operationId: 'inviteUser',
      tags: ['Administration'],
      summary: 'Invite a user',
      description: 'Makes an account without a password, and mails its owner a link to choose one.',
      body: NewUser,
      response: { 201: UserView },
    },
    handler: async (request, reply) => {
      const { email, name = null, roles = [] } = request.body;
      const user = await invite(context, { email, name, roles });
      logEvent(request, 'admin.user_invited', {
        actor: request.caller.sub,
        user: user.id,
        after: { roles },
      });
      return reply.code(201).send(userView(user, context.clock()));
    },
  });
}
