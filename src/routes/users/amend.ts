import { z } from 'zod';
import { hasProven } from '../../actions/accounts/recent.ts';
import { ADMIN, administer, withAmendment } from '../../actions/administration/administration.ts';
import { assertMayMake } from '../../actions/administration/making-admins.ts';
import { assertTokenFits } from '../../actions/administration/token-size.ts';
import { viewOfUser } from '../../actions/administration/user-view.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { UserAmendment, UserView } from '../../schemas/administration.ts';

export function amendUser(app: App, context: Context): void {
  app.route({
    method: 'PATCH',
    url: '/v1/users/:id',
    config: {
      access: requireRole(ADMIN),
      tighterLimit: true,
      problems: [
        'step_up_required',
        'wrong_password',
        'throttled',
        'overloaded',
        'not_found',
        'last_admin',
      ],
    },
    schema: {
      operationId: 'amendUser',
      tags: ['Administration'],
      summary: 'Change a user',
      description:
        'Changes the name, the roles, the status or the custom claims. Removing a role revokes the access tokens that have it; the next refresh gets the new roles. New claims replace the old ones, and are in the next access token: within 15 minutes. Disabling the user ends every session. Making an administrator needs a sign-in or a step-up of the last 15 minutes, or your password.',
      params: z.object({ id: z.string() }),
      body: UserAmendment,
      response: { 200: UserView },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      const { password, ...amendment } = request.body;
      const isProven = await hasProven(context, caller, {
        password,
        signal: signalOf(reply),
      });
      const { before, after } = await administer(
        context,
        { id: params.id, kind: 'person', caller },
        (user, now) => {
          const next = withAmendment(user, amendment, now);
          assertMayMake({ before: user, after: next }, { caller, isProven });
          assertTokenFits(context, { before: user, after: next });
          return { user: next, result: { before: user, after: next } };
        },
      );
      logEvent(request, 'admin.user_changed', {
        actor: caller.sub,
        user: after.id,
        before: { roles: before.roles, status: before.status },
        after: {
          roles: after.roles,
          status: after.status,
          // The names alone: a value may be personal.
          ...(amendment.claims && { claims: Object.keys(after.claims) }),
        },
      });
      return viewOfUser(context, after);
    },
  });
}
