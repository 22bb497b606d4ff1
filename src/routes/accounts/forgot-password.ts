import { z } from 'zod';
import { mailReset } from '../../actions/accounts/password-reset.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { evenly } from '../../http/even-time.ts';
import { networkOfLetter } from '../../http/source.ts';
import { Accepted, accepted } from '../../schemas/accepted.ts';
import { Email } from '../../schemas/fields.ts';

export function forgotPassword(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/password/forgot',
    config: { access: 'public', tighterLimit: true, problems: ['unavailable'] },
    schema: {
      operationId: 'forgotPassword',
      tags: ['Accounts'],
      summary: 'Ask for a link to choose a new password',
      description:
        'Mails a link if the address has an account. The answer is the same for every address. A mailbox gets three such mails an hour for each network that asks, twelve for all networks, and then one every ten minutes at most.',
      body: z.strictObject({ email: Email }).meta({
        id: 'ForgottenPassword',
        description: 'The address of the account.',
        examples: [{ email: 'ada@example.com' }],
      }),
      response: { 202: Accepted },
    },
    handler: async (request, reply) => {
      const asked = { email: request.body.email, network: networkOfLetter(request) };
      await evenly(mailReset(context, asked), context.pace);
      return reply.code(202).send(accepted);
    },
  });
}
