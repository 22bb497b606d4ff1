import { z } from 'zod';
import { proveCaller } from '../../actions/accounts/caller.ts';
import { askForEmailChange, assertMayTake } from '../../actions/accounts/email-change.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { evenly } from '../../http/even-time.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { Accepted, accepted } from '../../schemas/accepted.ts';
import { Email, Password } from '../../schemas/fields.ts';

export function changeEmail(app: App, context: Context): void {
  app.route({
    method: 'PUT',
    url: '/v1/me/email',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: ['wrong_password', 'throttled', 'overloaded', 'unavailable'],
    },
    schema: {
      operationId: 'changeEmail',
      tags: ['Me'],
      summary: 'Change your address',
      description:
        'Mails a link to the new address and a notice to the old one. The old address stays in use until the link is used. With your present address, mails a link that verifies it.',
      body: z.strictObject({ email: Email, password: Password }).meta({
        id: 'EmailChange',
        description: 'The new address, and the current password.',
        examples: [{ email: 'ada@example.org', password: 'correct horse battery staple' }],
      }),
      response: { 202: Accepted },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const user = await proveCaller(context, caller, {
        password: body.password,
        signal: signalOf(reply),
      });
      assertMayTake(user, body.email);
      await evenly(
        askForEmailChange(context, user, { email: body.email, sid: caller.sid }),
        context.pace,
      );
      logEvent(request, 'email.change_asked', { user: user.id });
      return reply.code(202).send(accepted);
    },
  });
}
