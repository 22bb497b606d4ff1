import { readIdToken } from '../../../actions/factors/provider/id-token.ts';
import { signInWithIdentity } from '../../../actions/factors/provider/sign-in.ts';
import type { Context } from '../../../context.ts';
import { answerSignIn } from '../../../http/answer-sign-in.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../../http/cookies.ts';
import { signInOf } from '../../../http/sign-in.ts';
import { FACTORS } from '../../../rules/factors/factors.ts';
import { IdTokenSignIn } from '../../../schemas/identity.ts';
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
    handler: (request, reply) => {
      const { transport, device_token, resource, ...given } = request.body;
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const signIn = signInOf(request, transport, FACTORS.provider.amr);
      const work = async () => {
        const read = await readIdToken(context, given);
        return signInWithIdentity(context, { ...read, deviceToken }, signIn);
      };
      return answerSignIn(request, reply, context, { way: 'provider', transport, resource, work });
    },
  });
}
