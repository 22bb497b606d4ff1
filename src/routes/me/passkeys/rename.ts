import { z } from 'zod';
import { renamePasskey as rename } from '../../../actions/factors/passkey/my-passkeys.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { passkeyView } from '../../../rules/views.ts';
import { PasskeyName, PasskeyView } from '../../../schemas/passkey.ts';

export function renamePasskey(app: App, context: Context): void {
  app.route({
    method: 'PATCH',
    url: '/v1/me/passkeys/:id',
    config: { access: 'person', problems: ['step_up_required', 'not_found', 'unavailable'] },
    schema: {
      operationId: 'renamePasskey',
      tags: ['Passkeys'],
      summary: 'Rename a passkey',
      description: 'Needs a proof that is at most 15 minutes old.',
      params: z.object({ id: z.string().describe('Passkey ID.') }),
      body: PasskeyName,
      response: { 200: PasskeyView },
    },
    handler: async (request) => {
      const { caller, params, body } = request;
      const passkey = await rename(context, caller, { id: params.id, name: body.name });
      logEvent(request, 'passkey.renamed', { user: caller.sub });
      return passkeyView(passkey);
    },
  });
}
