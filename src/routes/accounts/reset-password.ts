import { z } from 'zod';
import { resetPassword as reset } from '../../actions/accounts/password-reset.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { Password, Token } from '../../schemas/fields.ts';
import { NoContent } from '../../schemas/session.ts';

export function resetPassword(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/password/reset',
    config: {
      access: 'checked-by-handler',
      tighterLimit: true,
      problems: ['link_invalid', 'overloaded', 'unavailable'],
    },
    schema: {
      operationId: 'resetPassword',
      tags: ['Accounts'],
      summary: 'Choose a new password',
      description:
        'Takes the token of the mailed link. Ends every session. The user then signs in with the new password, and with the second factor if there is one.',
      body: z.strictObject({ token: Token, password: Password }).meta({
        id: 'PasswordReset',
        description: 'The token of the mailed link, and the new password.',
        examples: [
          { token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', password: 'correct horse battery staple' },
        ],
      }),
      response: { 204: NoContent.describe('The password is changed.') },
    },
    handler: async (request, reply) => {
      const user = await reset(context, request.body, signalOf(reply));
      logEvent(request, 'password.changed', { user: user.id });
      return reply.code(204).send(null);
    },
  });
}
