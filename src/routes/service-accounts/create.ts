import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { serviceAccountView } from '../../domain/accounts/views.ts';
import { ADMIN } from '../../domain/administration/administration.ts';
import { newServiceAccount } from '../../domain/clients/service-accounts.ts';
import { requireRole } from '../../http/access.ts';
import { logEvent } from '../../http/logging.ts';
import { NewServiceAccount, ServiceAccountWithSecret } from '../../schemas/administration.ts';

export function createServiceAccount(app: App, { users, clock }: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/service-accounts',
    config: { access: requireRole(ADMIN) },
    schema: {
      operationId: 'createServiceAccount',
      tags: ['Administration'],
      summary: 'Make a service account',
      description: 'A machine client for `/oauth/token`. Its secret is shown once.',
      body: NewServiceAccount,
      response: { 201: ServiceAccountWithSecret },
    },
    handler: async (request, reply) => {
      const { account, secret } = newServiceAccount(request.body, clock());
      await users.insert(account);
      logEvent(request, 'admin.service_account_created', {
        actor: request.caller.sub,
        user: account.id,
        after: { roles: account.roles },
      });
      return reply.code(201).send({ ...serviceAccountView(account), client_secret: secret });
    },
  });
}
