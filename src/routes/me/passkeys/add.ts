import { addPasskey as add } from '../../../actions/factors/passkey/my-passkeys.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { passkeyView } from '../../../rules/views.ts';
import { NewPasskey, PasskeyView } from '../../../schemas/passkey.ts';

export function addPasskey(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/passkeys',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'email_unverified',
        'passkey_invalid',
        'too_many_passkeys',
        'step_up_required',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'addPasskey',
      tags: ['Passkeys'],
      summary: 'Add a passkey',
      description:
        'Takes what the authenticator has made with the options of `/v1/me/passkeys/options`. An account can have ten. Needs a proof that is at most 15 minutes old. The owner gets a mail.',
      body: NewPasskey,
      response: { 201: PasskeyView },
    },
    handler: async (request, reply) => {
      const { passkey: registration, name } = request.body;
      const passkey = await add(context, request.caller, { registration, name });
      logEvent(request, 'passkey.added', { user: request.caller.sub });
      return reply.code(201).send(passkeyView(passkey));
    },
  });
}
