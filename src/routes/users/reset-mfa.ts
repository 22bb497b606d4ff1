import { z } from 'zod';
import { tell } from '../../actions/accounts/letters.ts';
import { ADMIN, administer } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withoutSecondFactor } from '../../rules/second-factor.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function resetUserMfa(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/users/:id/mfa',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'resetUserMfa',
      tags: ['Administration'],
      summary: "Remove a user's second factor",
      description:
        'For a user who has lost both the device and the recovery codes. Ends every session, and mails the user a notice.',
      params: z.object({ id: z.string() }),
      response: { 204: NoContent.describe('The second factor is off.') },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      // Removing your own needs the password and a code, so a stolen access token is not enough.
      if (params.id === caller.sub)
        throw new Refusal('forbidden', {
          detail: 'Remove your own second factor with DELETE /v1/me/mfa/totp.',
        });
      const user = await administer(context, { id: params.id, kind: 'person' }, (before, now) => ({
        user: withEverySessionEnded(withoutSecondFactor(before), now),
        result: before,
      }));
      tell(context, user, 'mfa.disabled');
      logEvent(request, 'admin.mfa_reset', { actor: caller.sub, user: user.id });
      return reply.code(204).send(null);
    },
  });
}
