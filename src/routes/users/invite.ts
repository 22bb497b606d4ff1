import { hasProven } from '../../actions/accounts/recent.ts';
import { ADMIN, inviteUser as invite } from '../../actions/administration/administration.ts';
import { assertMayMake } from '../../actions/administration/making-admins.ts';
import { viewOfUser } from '../../actions/administration/user-view.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { NewUser, UserView } from '../../schemas/administration.ts';

export function inviteUser(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/users',
    config: {
      access: requireRole(ADMIN),
      tighterLimit: true,
      problems: ['step_up_required', 'wrong_password', 'throttled', 'overloaded', 'email_taken'],
    },
    schema: {
      operationId: 'inviteUser',
      tags: ['Administration'],
      summary: 'Invite a user',
      description:
        'Creates an account without a password, and mails the user a link to choose one. Inviting an administrator needs a sign-in or a step-up of the last 15 minutes, or your password.',
      body: NewUser,
      response: { 201: UserView },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const { email, name = null, roles = [], claims, password } = body;
      const isProven = await hasProven(context, caller, {
        password,
        signal: signalOf(reply),
      });
      assertMayMake({ after: { roles, status: 'active' } }, { caller, isProven });
      const user = await invite(context, { email, name, roles, claims });
      logEvent(request, 'admin.user_invited', {
        actor: caller.sub,
        user: user.id,
        after: { roles, ...(claims && { claims: Object.keys(claims) }) },
      });
      return reply.code(201).send(viewOfUser(context, user));
    },
  });
}
