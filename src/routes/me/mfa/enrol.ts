import { renderSVG } from 'uqr';
import { beginEnrolment } from '../../../actions/factors/totp/enrolment.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { signalOf } from '../../../http/source.ts';
import { otpauthUri } from '../../../parts/second-factor/totp.ts';
import { CurrentPassword } from '../../../schemas/fields.ts';
import { Enrolment } from '../../../schemas/second-factor.ts';

export function enrolTotp(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/mfa/totp',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'wrong_password',
        'throttled',
        'overloaded',
        'email_unverified',
        'mfa_enabled',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'enrolTotp',
      tags: ['Me'],
      summary: 'Start enrolling a second factor',
      description:
        'Answers a secret for an authenticator app (TOTP, RFC 6238), which is shown only once. The second factor is off until a code confirms it. Needs a confirmed email address.',
      body: CurrentPassword,
      response: { 201: Enrolment },
    },
    handler: async (request, reply) => {
      const { user, secret } = await beginEnrolment(context, request.caller, {
        password: request.body.password,
        signal: signalOf(reply),
      });
      logEvent(request, 'mfa.enrolment_begun', { user: user.id });
      const otpauth_uri = otpauthUri(secret, {
        email: String(user.email),
        product: context.config.PRODUCT_NAME,
      });
      return reply
        .code(201)
        .send({ secret: secret.base32, otpauth_uri, qr_svg: renderSVG(otpauth_uri) });
    },
  });
}
