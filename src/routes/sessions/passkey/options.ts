import { z } from 'zod';
import { requestOptions } from '../../../actions/factors/passkey/challenge.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { Email } from '../../../schemas/fields.ts';
import { PasskeyRequestAnswer } from '../../../schemas/passkey.ts';

const Body = z
  .strictObject({
    email: Email.optional().describe('Only a passkey of this account answers the challenge.'),
  })
  .meta({
    id: 'PasskeyRequest',
    description: 'Whose passkey is asked for. Empty: whichever the user chooses.',
    examples: [{}],
  });

export function passkeyOptions(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/passkey/options',
    config: { access: 'public', tighterLimit: true },
    schema: {
      operationId: 'passkeyOptions',
      tags: ['Passkeys'],
      summary: 'Get options to use a passkey',
      description:
        'Options for `navigator.credentials.get()`, to sign in, for the second factor and for step-up. They name no credential, so they do not show whether there is an account: the browser knows the passkeys of its user.',
      body: Body,
      response: { 200: PasskeyRequestAnswer },
    },
    handler: async ({ body }) => requestOptions(context, body.email),
  });
}
