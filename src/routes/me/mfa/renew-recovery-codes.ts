import { renewRecoveryCodes as renew } from '../../../actions/factors/recovery-code/renewal.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { proofOf } from '../../../http/proof.ts';
import { signalOf } from '../../../http/source.ts';
import { PasswordAndProof, RecoveryCodes } from '../../../schemas/second-factor.ts';

export function renewRecoveryCodes(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/mfa/recovery-codes',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'wrong_password',
        'throttled',
        'overloaded',
        'wrong_code',
        'mfa_not_enabled',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'renewRecoveryCodes',
      tags: ['Me'],
      summary: 'Get new recovery codes',
      description:
        'Needs the password, and a code or a recovery code. The old recovery codes no longer work.',
      body: PasswordAndProof,
      response: { 200: RecoveryCodes },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const proof = { password: body.password, proof: proofOf(body), signal: signalOf(reply) };
      const recovery_codes = await renew(context, caller, proof);
      logEvent(request, 'mfa.recovery_codes_renewed', { user: caller.sub });
      return { recovery_codes };
    },
  });
}
