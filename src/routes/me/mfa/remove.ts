import { removeSecondFactor } from '../../../actions/factors/totp/removal.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { proofOf } from '../../../http/proof.ts';
import { signalOf } from '../../../http/source.ts';
import { PasswordAndProof } from '../../../schemas/second-factor.ts';
import { NoContent } from '../../../schemas/session.ts';

export function removeTotp(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me/mfa/totp',
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
      operationId: 'removeTotp',
      tags: ['Me'],
      summary: 'Remove the second factor',
      description: 'Needs the password, and a code or a recovery code. Ends every other session.',
      body: PasswordAndProof,
      response: { 204: NoContent.describe('The second factor is off.') },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      await removeSecondFactor(context, caller, {
        password: body.password,
        proof: proofOf(body),
        signal: signalOf(reply),
      });
      logEvent(request, 'mfa.disabled', { user: caller.sub });
      return reply.code(204).send(null);
    },
  });
}
