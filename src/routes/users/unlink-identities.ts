import { z } from 'zod';
import { tell } from '../../actions/accounts/letters.ts';
import { ADMIN, administer } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { linkedColumns, withoutIdentities } from '../../rules/factors/provider.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';

export function unlinkUserIdentities(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/users/:id/identities',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'unlinkUserIdentities',
      tags: ['Administration'],
      summary: "Unlink a user's outside providers",
      description:
        'For a user whose account at a provider is lost or taken over, or if a stranger may have linked one. Unlinks every provider, also if it is the last way in: the user can still sign in with a code by mail, or reset the password. Only the user can link them again. Ends every session, and mails the user a notice. If no provider is linked, nothing happens.',
      params: z.object({ id: z.string() }),
      response: { 204: NoContent.describe('No provider is linked.') },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      // Unlinking your own needs a recent proof, so a stolen access token is not enough.
      if (params.id === caller.sub)
        throw new Refusal('forbidden', {
          detail: 'Unlink your own providers with DELETE /v1/me/identities/{provider}.',
        });
      const user = await administer(context, { id: params.id, kind: 'person' }, (before, now) => ({
        user:
          linkedColumns(before).length === 0
            ? before
            : withEverySessionEnded(withoutIdentities(before), now),
        result: before,
      }));
      const identities = linkedColumns(user);
      if (identities.length > 0) {
        tell(context, user, 'identities.unlinked');
        logEvent(request, 'admin.identities_unlinked', {
          actor: caller.sub,
          user: user.id,
          // The columns alone: who the user is at the provider is personal.
          before: { identities },
        });
      }
      return reply.code(204).send(null);
    },
  });
}
