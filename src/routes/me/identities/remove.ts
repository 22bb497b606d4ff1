import { unlinkIdentity as unlink } from '../../../actions/factors/provider/my-identities.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { ProviderPath } from '../../../schemas/identity.ts';
import { NoContent } from '../../../schemas/session.ts';

export function unlinkIdentity(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me/identities/:provider',
    config: {
      access: 'person',
      problems: ['step_up_required', 'not_found', 'last_way_in', 'unavailable'],
    },
    schema: {
      operationId: 'unlinkIdentity',
      tags: ['Providers'],
      summary: 'Unlink an outside provider',
      description:
        'From then on, the account at the provider does not sign in here, also if it has the address of the account, until it is linked again. Every other session of the account ends. The last way into the account cannot be removed. Needs a proof that is at most 15 minutes old. The owner gets a mail.',
      params: ProviderPath,
      response: { 204: NoContent.describe('The provider is unlinked.') },
    },
    handler: async (request, reply) => {
      const { caller, params } = request;
      await unlink(context, caller, params.provider);
      logEvent(request, 'identity.unlinked', { user: caller.sub });
      return reply.code(204).send(null);
    },
  });
}
