import { z } from 'zod';
import { signInWithPassword } from '../../actions/sessions/sign-in.ts';
import type { Context } from '../../context.ts';
import { answerSignIn } from '../../http/answer-sign-in.ts';
import type { App } from '../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../http/cookies.ts';
import { refusedEvenly } from '../../http/even-time.ts';
import { signInOf } from '../../http/sign-in.ts';
import { sourceOf } from '../../http/source.ts';
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
    handler: (request, reply) => {
      const { email, password, transport, device_token, resource } = request.body;
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const signIn = signInOf(request, transport);
      const source = sourceOf(request, reply);
      const credentials = { email, password, deviceToken };
      const work = async () => {
        const attempt = signInWithPassword(context, credentials, { signIn, source });
        return { who: await refusedEvenly(attempt, context.pace) };
      };
      return answerSignIn(request, reply, context, { way: 'password', transport, resource, work });
    },
  });
}
