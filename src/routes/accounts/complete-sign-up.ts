import { z } from 'zod';
import { completeSignUp as complete } from '../../actions/accounts/sign-up.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signInOf } from '../../http/sign-in.ts';
import { signalOf } from '../../http/source.ts';
import { answerTokens } from '../../http/tokens.ts';
import { randomId } from '../../parts/ids.ts';
import { EmailTaken } from '../../parts/storage/users.ts';
import { Refusal } from '../../rules/refusal.ts';
import { Name, Password, Resource, Token } from '../../schemas/fields.ts';
import { TokenAnswer, TransportChoice } from '../../schemas/session.ts';

const Body = z
  .strictObject({
    token: Token,
    password: Password,
    name: Name.optional(),
    transport: TransportChoice,
    resource: Resource.optional(),
  })
  .meta({
    id: 'SignUpCompletion',
    description: 'The token of the mailed link, and the password of the new account.',
    examples: [
      { token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', password: 'correct horse battery staple' },
    ],
  });

export function completeSignUp(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/register/complete',
    config: {
      headers: { 201: ['Set-Cookie'] },
      access: 'checked-by-handler',
      takesDpopProof: true,
      tighterLimit: true,
      problems: ['link_invalid', 'overloaded', 'sign_up_closed', 'unavailable', 'invalid_target'],
    },
    schema: {
      operationId: 'completeSignUp',
      tags: ['Accounts'],
      summary: 'Finish signing up',
      description:
        'Takes the token of the mailed link. Creates the account, with its address verified, and signs the user in.',
      body: Body,
      response: { 201: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { token, password, name = null, transport, resource } = request.body;
      const audience = audienceOf(context, resource);
      if (context.config.SIGN_UP === 'closed') throw new Refusal('sign_up_closed');
      const { user, session } = await complete(
        context,
        { token, password, name },
        { signIn: signInOf(request, transport), signal: signalOf(reply) },
      ).catch((error) => {
        throw error instanceof EmailTaken ? new Refusal('link_invalid') : error;
      });
      logEvent(request, 'account.created', { user: user.id, session: session.id });
      return reply
        .code(201)
        .send(answerTokens(reply, context, { user, session, device: randomId(), audience }));
    },
  });
}
