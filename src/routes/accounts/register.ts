import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { newPerson } from '../../domain/accounts.ts';
import { checkPassword } from '../../domain/passwords.ts';
import { Refusal } from '../../domain/refusal.ts';
import { start } from '../../domain/sessions.ts';
import { deviceOf } from '../../domain/token-pair.ts';
import { logEvent } from '../../http/logging.ts';
import { signInOf } from '../../http/sign-in.ts';
import { answerTokens } from '../../http/tokens.ts';
import { Email, Name, Password } from '../../schemas/fields.ts';
import { TokenAnswer, TransportChoice } from '../../schemas/session.ts';

const Body = z
  .strictObject({
    email: Email,
    password: Password,
    name: Name.optional(),
    transport: TransportChoice,
  })
  .meta({
    examples: [
      { email: 'ada@example.com', password: 'correct horse battery staple', name: 'Ada Lovelace' },
    ],
  });

export function register(app: App, context: Context): void {
  const { config, users, passwords, clock, sessionLimits } = context;
  app.route({
    method: 'POST',
    url: '/v1/register',
    config: {
      access: 'public',
      tighterLimit: true,
      problems: ['email_taken', 'email_verification_required', 'sign_up_closed', 'unavailable'],
    },
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Make an account and sign in',
      description:
        'With `SIGN_UP=open` only. The answer gives away whether an address has an account.',
      body: Body,
      response: { 201: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { email, password, name = null, transport } = request.body;
      if (config.SIGN_UP === 'closed') throw new Refusal('sign_up_closed');
      if (config.SIGN_UP === 'verified') throw new Refusal('email_verification_required');
      checkPassword(password, config.PASSWORD_MIN_LENGTH, '/password');
      const passwordHash = await passwords.hash(password);
      const now = clock();
      const person = { ...newPerson({ email, name, passwordHash }, now), last_login_at: now };
      const { user, session } = start(person, signInOf(request, transport), now, sessionLimits);
      await users.insert(user);
      logEvent(request, 'account.created', { user: user.id, session: session.id });
      reply.code(201);
      return answerTokens(reply, context, {
        user,
        session,
        device: deviceOf(context, user, undefined),
      });
    },
  });
}
