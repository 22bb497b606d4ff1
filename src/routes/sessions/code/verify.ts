import { signInWithMailCode } from '../../../actions/factors/mail-code/sign-in.ts';
import type { Context } from '../../../context.ts';
import { answerSignIn } from '../../../http/answer-sign-in.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../../http/cookies.ts';
import { refusedEvenly } from '../../../http/even-time.ts';
import { signInOf } from '../../../http/sign-in.ts';
import { sourceOf } from '../../../http/source.ts';
import { FACTORS } from '../../../rules/factors/factors.ts';
import { MailCodeSignIn } from '../../../schemas/mail-code.ts';
import { Challenge } from '../../../schemas/second-factor.ts';
import { TokenAnswer } from '../../../schemas/session.ts';

export function loginWithMailCode(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/code/verify',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'checked-by-handler',
      tighterLimit: true,
      takesDpopProof: true,
      problems: [
        'mail_code_refused',
        'throttled',
        'overloaded',
        'ambiguous_credentials',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'loginWithMailCode',
      tags: ['Sessions'],
      summary: 'Sign in with a code by mail',
      description:
        'Starts a new session. A wrong code and an address without an account get the same answer in the same time. If the account has a second factor, the answer is 202 with an `mfa_token` for `/v1/login/mfa`: the code is no second factor. The code proves the mailbox: if nobody had proven it before, the password, second factor, passkeys, linked providers and sessions of the account are removed, because someone else may have made it; not if the code is used on a device of the account. The owner gets a mail.',
      body: MailCodeSignIn,
      response: { 200: TokenAnswer, 202: Challenge },
    },
    handler: (request, reply) => {
      const { code_token: token, code, transport, device_token, resource } = request.body;
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const signIn = signInOf(request, transport, FACTORS.mail_code.amr);
      const source = sourceOf(request, reply);
      const given = { token, code, deviceToken };
      const work = () =>
        refusedEvenly(signInWithMailCode(context, given, { signIn, source }), context.pace);
      return answerSignIn(request, reply, context, { way: 'mail_code', transport, resource, work });
    },
  });
}
