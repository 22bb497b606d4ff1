import { z } from 'zod';
import { tell } from '../../actions/accounts/letters.ts';
import { ADMIN, administer } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { FACTORS } from '../../rules/factors/factors.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function removeUserPasskeys(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/users/:id/passkeys',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'removeUserPasskeys',
      tags: ['Administration'],
      summary: "Remove a user's passkeys",
      description:
        'For a user who has lost them, or if a stranger may have added one. Removes every passkey, also if it is the last way in: the user can still sign in with a code by mail, or reset the password. Ends every session, and mails the user a notice. Without passkeys, nothing happens.',
      params: z.object({ id: z.string() }),
      response: { 204: NoContent.describe('The user has no passkeys.') },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      // Removing your own needs a recent proof, so a stolen access token is not enough.
      if (params.id === caller.sub)
        throw new Refusal('forbidden', {
          detail: 'Remove your own passkeys with DELETE /v1/me/passkeys/{id}.',
        });
      const user = await administer(context, { id: params.id, kind: 'person' }, (before, now) => ({
        user:
          FACTORS.passkey.count(before) === 0
            ? before
            : withEverySessionEnded(FACTORS.passkey.without(before), now),
        result: before,
      }));
      const passkeys = FACTORS.passkey.count(user);
      if (passkeys > 0) {
        tell(context, user, 'passkeys.removed');
        logEvent(request, 'admin.passkeys_removed', {
          actor: caller.sub,
          user: user.id,
          before: { passkeys },
        });
      }
      return reply.code(204).send(null);
    },
  });
}
