import { proveRecent } from '../../actions/accounts/recent.ts';
import { ADMIN } from '../../actions/administration/administration.ts';
import { assertTokenFits } from '../../actions/administration/token-size.ts';
import { newServiceAccount } from '../../actions/clients/service-accounts.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { serviceAccountView } from '../../rules/views.ts';
import { NewServiceAccount, ServiceAccountWithSecret } from '../../schemas/administration.ts';

export function createServiceAccount(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/service-accounts',
    config: {
      access: requireRole(ADMIN),
      tighterLimit: true,
      problems: ['step_up_required', 'wrong_password', 'throttled', 'overloaded'],
    },
    schema: {
      operationId: 'createServiceAccount',
      tags: ['Administration'],
      summary: 'Create a service account',
      description:
        'Creates the `client_id` and `client_secret` with which a program gets tokens from `/oauth/token`. Needs a sign-in or a step-up of the last 15 minutes, or your password. The secret is shown only once.',
      body: NewServiceAccount,
      response: { 201: ServiceAccountWithSecret },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      await proveRecent(context, caller, {
        password: body.password,
        signal: signalOf(reply),
      });
      const { account, secret } = newServiceAccount(body, context.clock());
      const { roles, claims } = body;
      assertTokenFits(context, { after: account });
      await context.users.insert(account);
      logEvent(request, 'admin.service_account_created', {
        actor: caller.sub,
        user: account.id,
        after: { roles, ...(claims && { claims: Object.keys(claims) }) },
      });
      return reply.code(201).send({ ...serviceAccountView(account), client_secret: secret });
    },
  });
}
