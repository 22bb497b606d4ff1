import { z } from 'zod';
import { disown as disownAccount } from '../../actions/accounts/unconfirmed-account.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { Token } from '../../schemas/fields.ts';
import { NoContent } from '../../schemas/session.ts';

export function disown(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/email/not-me',
    config: {
      access: 'checked-by-handler',
      tighterLimit: true,
      problems: ['link_invalid', 'last_admin', 'unavailable'],
    },
    schema: {
      operationId: 'disownAccount',
      tags: ['Accounts'],
      summary: 'Delete an account that someone else made with your address',
      description:
        'Takes the token of the link "This was not me" in the letter about a new account. Deletes the account and revokes all its tokens at once. Works for 30 days, unless the address is confirmed before.',
      body: z.strictObject({ token: Token }).meta({
        id: 'Disowning',
        description: 'The token of the mailed link.',
        examples: [{ token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }],
      }),
      response: { 204: NoContent.describe('The account is deleted.') },
    },
    handler: async (request, reply) => {
      const user = await disownAccount(context, request.body.token);
      logEvent(request, 'account.disowned', { user: user.id });
      return reply.code(204).send(null);
    },
  });
}
