import { z } from 'zod';
import { signInWithPassword } from '../../actions/sessions/sign-in.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { challengeAnswer } from '../../http/challenge.ts';
import { cookieOf, DEVICE_COOKIE } from '../../http/cookies.ts';
import { refusedEvenly } from '../../http/even-time.ts';
import { reportRefusedSignIn, reportSignIn, signInOf } from '../../http/sign-in.ts';
import { sourceOf } from '../../http/source.ts';
import { answerTokens } from '../../http/tokens.ts';
import { Email, Password, Resource, Token } from '../../schemas/fields.ts';
import { Challenge } from '../../schemas/second-factor.ts';
import { TokenAnswer, TransportChoice } from '../../schemas/session.ts';

const Body = z
  .strictObject({
    email: Email,
    password: Password,
    transport: TransportChoice,
    device_token: Token.optional().describe('The one from an earlier sign-in on this device.'),
    resource: Resource.optional(),
  })
  .meta({
    id: 'Credentials',
    description: 'An address and its password.',
    examples: [{ email: 'ada@example.com', password: 'correct horse battery staple' }],
  });

const EVENTS = { refused: 'sign_in.refused', throttled: 'sign_in.throttled' } as const;

export function login(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'public',
      takesDpopProof: true,
      tighterLimit: true,
      problems: [
        'invalid_credentials',
        'throttled',
        'overloaded',
        'ambiguous_credentials',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'login',
      tags: ['Sessions'],
      summary: 'Sign in',
      description:
        'Starts a new session. An unknown address and a wrong password get the same answer in the same time. If the account has a second factor, the answer is 202 with an `mfa_token` for `/v1/login/mfa`.',
      body: Body,
      response: { 200: TokenAnswer, 202: Challenge },
    },
    handler: async (request, reply) => {
      const { email, password, transport, device_token, resource } = request.body;
      const audience = audienceOf(context, resource);
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const signIn = signInOf(request, transport);
      try {
        const source = sourceOf(request, reply);
        const credentials = { email, password, deviceToken };
        const result = await refusedEvenly(
          signInWithPassword(context, credentials, { signIn, source }),
          context.pace,
        );
        if (result.session === undefined) {
          const half = { ...result, transport, resource };
          return reply.code(202).send(challengeAnswer(request, context, { half, way: 'password' }));
        }
        reportSignIn(request, context, {
          way: 'password',
          result: 'ok',
          event: 'sign_in.ok',
          user: result.user.id,
          session: result.session.id,
        });
        return reply.code(200).send(answerTokens(reply, context, { ...result, audience }));
      } catch (error) {
        reportRefusedSignIn(request, context, { error, way: 'password', events: EVENTS });
        throw error;
      }
    },
  });
}
