import { z } from 'zod';
import { removePasskey as remove } from '../../../actions/factors/passkey/my-passkeys.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { NoContent } from '../../../schemas/session.ts';

export function removePasskey(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me/passkeys/:id',
    config: {
      access: 'person',
      problems: ['step_up_required', 'not_found', 'last_way_in', 'unavailable'],
    },
    schema: {
      operationId: 'removePasskey',
      tags: ['Passkeys'],
      summary: 'Remove a passkey',
      description:
        'From then on, the passkey does not sign in, and every other session of the account ends. The last way into the account cannot be removed. Needs a proof that is at most 15 minutes old. The owner gets a mail.',
      params: z.object({ id: z.string().describe('Passkey ID.') }),
      response: { 204: NoContent.describe('The passkey is removed.') },
    },
    handler: async (request, reply) => {
      const { caller, params } = request;
      await remove(context, caller, params.id);
      logEvent(request, 'passkey.removed', { user: caller.sub });
      return reply.code(204).send(null);
    },
  });
}
