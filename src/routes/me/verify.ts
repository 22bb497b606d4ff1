import { stepUpWithFactor, stepUpWithPassword } from '../../actions/factors/step-up.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { logCopied } from '../../http/passkeys.ts';
import { proofOf } from '../../http/proof.ts';
import { signalOf } from '../../http/source.ts';
import { tokenTypeOf } from '../../rules/sessions.ts';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import { StepUp, StepUpProof } from '../../schemas/step-up.ts';

export function verifyMe(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/verify',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'second_factor_required',
        'wrong_password',
        'wrong_code',
        'passkey_copied',
        'mfa_not_enabled',
        'throttled',
        'overloaded',
        'unavailable',
        'invalid_target',
      ],
    },
    schema: {
      operationId: 'verifyMe',
      tags: ['Me'],
      summary: 'Prove again that it is you',
      description:
        'Step-up (RFC 9470): answers an access token of the same session with a new `auth_time`, and with `amr` that says what was proven. Call it after `step_up_required`, then repeat the request with the new token. If the account has a second factor, the password is no proof here. The session and its refresh token stay as they are.',
      body: StepUpProof,
      response: { 200: StepUp },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const audience = audienceOf(context, body.resource);
      const signal = signalOf(reply);
      const { user, session } = await logCopied(
        request,
        body.password === undefined
          ? stepUpWithFactor(context, caller, { proof: proofOf(body), signal })
          : stepUpWithPassword(context, caller, { password: body.password, signal }),
      );
      logEvent(request, 'session.stepped_up', { user: user.id, session: session.id });
      return reply.header('cache-control', 'no-store').send({
        access_token: context.accessTokens.issue(user, session, { audience }),
        token_type: tokenTypeOf(session),
        expires_in: ACCESS_LIFE,
      });
    },
  });
}
