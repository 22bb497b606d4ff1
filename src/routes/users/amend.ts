import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { userView } from '../../domain/accounts/views.ts';
import { ADMIN, administer, amended } from '../../domain/administration/administration.ts';
import { requireRole } from '../../http/access.ts';
import { logEvent } from '../../http/logging.ts';
import { UserAmendment, UserView } from '../../schemas/administration.ts';

export function amendUser(app: App, context: Context): void {
  app.route({
    method: 'PATCH',
    url: '/v1/users/:id',
    config: { access: requireRole(ADMIN), problems: ['not_found', 'last_admin'] },
    schema: {
      operationId: 'amendUser',
      tags: ['Administration'],
      summary: 'Change a user',
      description:
        'Name, roles, disabled or active. A removed role ends the access tokens that carry it; the next refresh has the new roles. Disabling signs out everywhere.',
      params: z.object({ id: z.string() }),
      body: UserAmendment,
      response: { 200: UserView },
    },
    handler: async (request) => {
      const { params, body, caller } = request;
      const { before, after } = await administer(
        context,
        { id: params.id, kind: 'person', caller },
        (user, now) => {
          const next = amended(user, body, now);
          return { user: next, result: { before: user, after: next } };
        },
      );
      logEvent(request, 'admin.user_changed', {
        actor: caller.sub,
        user: after.id,
        before: { roles: before.roles, status: before.status },
        after: { roles: after.roles, status: after.status },
      });
      return userView(after, context.clock());
    },
  });
}
