import { z } from 'zod';
import { confirmEmailChange } from '../../actions/accounts/email-change.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
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
      problems: ['link_invalid', 'unavailable'],
    },
    schema: {
      operationId: 'confirmEmail',
      tags: ['Accounts'],
      summary: 'Confirm an email address',
      description:
        'Takes the token of the mailed link. A new address replaces the old one at once, and every session ends except the one that asked for the change.',
      body: z.strictObject({ token: Token }).meta({
        id: 'EmailConfirmation',
        description: 'The token of the mailed link.',
        examples: [{ token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }],
      }),
      response: { 204: NoContent.describe('The address is confirmed.') },
    },
    handler: async (request, reply) => {
      const user = await confirmEmailChange(context, request.body.token);
      logEvent(request, 'email.confirmed', { user: user.id });
      return reply.code(204).send(null);
    },
  });
}
