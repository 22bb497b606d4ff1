import { readIdToken } from '../../../actions/factors/provider/id-token.ts';
import { signInWithIdentity } from '../../../actions/factors/provider/sign-in.ts';
import { audienceOf } from '../../../actions/tokens/audience.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { challengeAnswer } from '../../../http/challenge.ts';
import { cookieOf, DEVICE_COOKIE } from '../../../http/cookies.ts';
import { reportArrival, reportRefusedArrival } from '../../../http/provider-sign-in.ts';
import { signInOf } from '../../../http/sign-in.ts';
import { answerTokens } from '../../../http/tokens.ts';
import { IdTokenSignIn } from '../../../schemas/identity.ts';
import { AMR } from '../../../schemas/methods.ts';
import { Challenge } from '../../../schemas/second-factor.ts';
import { TokenAnswer } from '../../../schemas/session.ts';

export function loginWithIdToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/id-token',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'checked-by-handler',
      tighterLimit: true,
      takesDpopProof: true,
      problems: [
        'not_found',
        'ambiguous_credentials',
        'provider_refused',
        'provider_unlinked',
        'sign_up_closed',
        'provider_unavailable',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'loginWithIdToken',
      tags: ['Providers'],
      summary: 'Sign in with an ID token',
      description:
        'Takes the ID token that a provider has issued to one of the apps in `OIDC_1_ID_TOKEN_AUDIENCES`, with the nonce of `/v1/login/id-token/nonce`. Each is used once. If the account has a second factor, the answer is 202 with an `mfa_token` for `/v1/login/mfa`.',
      body: IdTokenSignIn,
      response: { 200: TokenAnswer, 202: Challenge },
    },
    handler: async (request, reply) => {
      const { transport, device_token, resource, ...given } = request.body;
      const audience = audienceOf(context, resource);
      try {
        const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
        const read = await readIdToken(context, given);
        const signIn = signInOf(request, transport, AMR.provider);
        const arrived = await signInWithIdentity(context, { ...read, deviceToken }, signIn);
        reportArrival(request, context, arrived);
        const { who } = arrived;
        if (who.session === undefined) {
          const half = { ...who, transport, resource };
          return reply.code(202).send(challengeAnswer(request, context, { half, way: 'provider' }));
        }
        return reply.code(200).send(answerTokens(reply, context, { ...who, audience }));
      } catch (error) {
        reportRefusedArrival(request, context, error);
        throw error;
      }
    },
  });
}
