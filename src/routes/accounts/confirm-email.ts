import { z } from 'zod';
import { confirmEmailChange } from '../../actions/accounts/email-change.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { Token } from '../../schemas/fields.ts';
import { NoContent } from '../../schemas/session.ts';

export function confirmEmail(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/email/confirm',
    config: {
      access: 'checked-by-handler',
      tighterLimit: true,
      problems: ['link_invalid', 'ambiguous_credentials', 'unavailable'],
    },
    schema: {
      operationId: 'confirmEmail',
      tags: ['Accounts'],
      summary: 'Confirm an email address',
      description:
        'Takes the token of the mailed link. A new address replaces the old one at once, and every session ends except the one that asked for the change. Send the device token of the account if there is one (a browser sends its cookie): it shows that the user and the holder of the mailbox are one person. Without it, the next password reset removes the second factor.',
      body: z
        .strictObject({
          token: Token,
          device_token: Token.optional().describe(
            'The one from an earlier sign-in on this device.',
          ),
        })
        .meta({
          id: 'EmailConfirmation',
          description: 'The token of the mailed link.',
          examples: [{ token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }],
        }),
      response: { 204: NoContent.describe('The address is confirmed.') },
    },
    handler: async (request, reply) => {
      const { token, device_token } = request.body;
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const user = await confirmEmailChange(context, { token, deviceToken });
      logEvent(request, 'email.confirmed', { user: user.id });
      return reply.code(204).send(null);
    },
  });
}
