import { amrOf } from '../../../actions/factors/passkey/passkey.ts';
import { signInWithPasskey } from '../../../actions/factors/passkey/sign-in.ts';
import { audienceOf } from '../../../actions/tokens/audience.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../../http/cookies.ts';
import { refusedEvenly } from '../../../http/even-time.ts';
import { logCopied } from '../../../http/passkeys.ts';
import { reportRefusedSignIn, reportSignIn, signInOf } from '../../../http/sign-in.ts';
import { answerTokens } from '../../../http/tokens.ts';
import { PasskeySignIn } from '../../../schemas/passkey.ts';
import { TokenAnswer } from '../../../schemas/session.ts';

const EVENTS = { refused: 'sign_in.refused', throttled: 'sign_in.throttled' } as const;

export function loginWithPasskey(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/passkey',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'checked-by-handler',
      takesDpopProof: true,
      tighterLimit: true,
      problems: [
        'passkey_refused',
        'passkey_copied',
        'ambiguous_credentials',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'loginWithPasskey',
      tags: ['Passkeys'],
      summary: 'Sign in with a passkey',
      description:
        'Starts a new session for the user whom the passkey names. No second factor is asked: the authenticator has checked its user. Each challenge is answered once. An unknown passkey and a wrong signature get the same answer in the same time.',
      body: PasskeySignIn,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { passkey: assertion, transport, device_token, resource } = request.body;
      const audience = audienceOf(context, resource);
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const signIn = signInOf(request, transport, amrOf(assertion));
      try {
        const work = signInWithPasskey(context, { assertion, deviceToken }, signIn);
        const holder = await logCopied(request, refusedEvenly(work, context.pace));
        reportSignIn(request, context, {
          way: 'passkey',
          result: 'ok',
          event: 'sign_in.ok',
          user: holder.user.id,
          session: holder.session.id,
        });
        return answerTokens(reply, context, { ...holder, audience });
      } catch (error) {
        reportRefusedSignIn(request, context, { error, way: 'passkey', events: EVENTS });
        throw error;
      }
    },
  });
}
