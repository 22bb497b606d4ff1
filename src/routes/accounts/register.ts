import { z } from 'zod';
import { inviteToSignUp, signUpAtOnce } from '../../actions/accounts/sign-up.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { evenly } from '../../http/even-time.ts';
import { logEvent } from '../../http/logging.ts';
import { signInOf } from '../../http/sign-in.ts';
import { signalOf } from '../../http/source.ts';
import { answerTokens } from '../../http/tokens.ts';
import { randomId } from '../../parts/ids.ts';
import { Refusal } from '../../rules/refusal.ts';
import { Accepted, accepted } from '../../schemas/accepted.ts';
import { Name, NewEmail, Password, Resource } from '../../schemas/fields.ts';
import { TokenAnswer, TransportChoice } from '../../schemas/session.ts';

const Body = z
  .strictObject({
    email: NewEmail,
    password: Password.optional(),
    name: Name.optional(),
    transport: TransportChoice,
    resource: Resource.optional(),
  })
  .refine(({ password, name }) => password !== undefined || name === undefined, {
    error: 'is required with a name',
    path: ['password'],
  })
  .meta({
    id: 'SignUp',
    description: 'An address alone, or an account with its password.',
    examples: [
      { email: 'ada@example.com', password: 'correct horse battery staple', name: 'Ada Lovelace' },
    ],
  });

export function register(app: App, context: Context): void {
  const { SIGN_UP } = context.config;
  app.route({
    method: 'POST',
    url: '/v1/register',
    config: {
      headers: { 201: ['Set-Cookie'] },
      access: 'public',
      takesDpopProof: true,
      tighterLimit: true,
      problems: [
        'email_taken',
        'overloaded',
        'email_verification_required',
        'sign_up_closed',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Sign up',
      description:
        'With an address alone, mails a link to finish signing up; the answer is the same whether the address has an account or not. With a password, creates the account at once. This needs `SIGN_UP=open`, and the answer reveals whether the address has an account.',
      body: Body,
      response: {
        201: TokenAnswer,
        202: Accepted,
      },
    },
    handler: async (request, reply) => {
      const { email, password, name = null, transport, resource } = request.body;
      const audience = audienceOf(context, resource);
      if (SIGN_UP === 'closed') throw new Refusal('sign_up_closed');
      if (password === undefined) {
        await evenly(inviteToSignUp(context, email), context.pace);
        return reply.code(202).send(accepted);
      }
      if (SIGN_UP === 'verified') throw new Refusal('email_verification_required');
      const { user, session } = await signUpAtOnce(
        context,
        { email, password, name },
        { signIn: signInOf(request, transport), signal: signalOf(reply) },
      );
      logEvent(request, 'account.created', { user: user.id, session: session.id });
      return reply
        .code(201)
        .send(answerTokens(reply, context, { user, session, device: randomId(), audience }));
    },
  });
}
