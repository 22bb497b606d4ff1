import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { Refusal } from '../../domain/refusal.ts';
import { signInWithPassword } from '../../domain/sign-in.ts';
import { deviceOf } from '../../domain/token-pair.ts';
import { cookieOf, DEVICE_COOKIE } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { signInOf } from '../../http/sign-in.ts';
import { answerTokens } from '../../http/tokens.ts';
import { Email, Password, Token } from '../../schemas/fields.ts';
import { TokenAnswer, TransportChoice } from '../../schemas/session.ts';

const Body = z
  .strictObject({
    email: Email,
    password: Password,
    transport: TransportChoice,
    device_token: Token.optional().describe('From an earlier sign-in on this device.'),
  })
  .meta({ examples: [{ email: 'ada@example.com', password: 'correct horse battery staple' }] });

export function login(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login',
    config: {
      access: 'public',
      tighterLimit: true,
      problems: ['invalid_credentials', 'unavailable'],
    },
    schema: {
      operationId: 'login',
      tags: ['Sessions'],
      summary: 'Sign in',
      description:
        'Always opens a new session. An unknown address and a wrong password answer alike, in the same time.',
      body: Body,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { email, password, transport, device_token } = request.body;
      try {
        const { user, session } = await signInWithPassword(
          context,
          { email, password },
          signInOf(request, transport),
        );
        logEvent(request, 'sign_in.ok', { user: user.id, session: session.id });
        const device = deviceOf(context, user, device_token ?? cookieOf(request, DEVICE_COOKIE));
        return answerTokens(reply, context, { user, session, device });
      } catch (error) {
        if (error instanceof Refusal) logEvent(request, 'sign_in.refused', {});
        throw error;
      }
    },
  });
}
