import { z } from 'zod';
import { proveRecent } from '../../actions/accounts/recent.ts';
import { ADMIN, administer } from '../../actions/administration/administration.ts';
import { withNewSecret } from '../../actions/clients/service-accounts.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { serviceAccountView } from '../../rules/views.ts';
import { NewSecret, ServiceAccountWithSecret } from '../../schemas/administration.ts';

export function renewServiceAccountSecret(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/service-accounts/:id/secret',
    config: {
      access: requireRole(ADMIN),
      tighterLimit: true,
      problems: ['step_up_required', 'wrong_password', 'throttled', 'overloaded', 'not_found'],
    },
    schema: {
      operationId: 'renewServiceAccountSecret',
      tags: ['Administration'],
      summary: 'Create a new secret',
      description:
        'Needs a sign-in or a step-up of the last 15 minutes, or your password. The previous secret works until you create another, so a program can switch without an interruption.',
      params: z.object({ id: z.string() }),
      body: NewSecret,
      response: { 201: ServiceAccountWithSecret },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      await proveRecent(context, caller, {
        password: body.password,
        signal: signalOf(reply),
      });
      const { account, secret } = await administer(
        context,
        { id: request.params.id, kind: 'service' },
        (before, now) => {
          const { user, result } = withNewSecret(before, now);
          return { user, result: { account: user, secret: result } };
        },
      );
      logEvent(request, 'admin.service_account_secret_made', {
        actor: caller.sub,
        user: account.id,
      });
      return reply.code(201).send({ ...serviceAccountView(account), client_secret: secret });
    },
  });
}
