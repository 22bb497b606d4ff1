import { z } from 'zod';
import { beginPasskey } from '../../../actions/factors/passkey/my-passkeys.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { PasskeyCreationAnswer } from '../../../schemas/passkey.ts';

export function newPasskeyOptions(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/passkeys/options',
    config: { access: 'person', problems: ['email_unverified', 'step_up_required', 'unavailable'] },
    schema: {
      operationId: 'newPasskeyOptions',
      tags: ['Passkeys'],
      summary: 'Get options to make a passkey',
      description:
        'Options for `navigator.credentials.create()`. Only the session that asked can answer them. Needs a proof that is at most 15 minutes old.',
      body: z
        .strictObject({})
        .meta({ id: 'Nothing', description: 'An empty object.', examples: [{}] }),
      response: { 200: PasskeyCreationAnswer },
    },
    handler: async ({ caller }) => beginPasskey(context, caller),
  });
}
