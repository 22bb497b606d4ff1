import { z } from 'zod';
import { ADMIN, administer, decideDeletion } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { NoContent } from '../../schemas/session.ts';

export function deleteServiceAccount(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/service-accounts/:id',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'deleteServiceAccount',
      tags: ['Administration'],
      summary: 'Delete a service account',
      description: 'Deletes the account and its secrets. This cannot be undone.',
      params: z.object({ id: z.string() }),
      response: { 204: NoContent.describe('The account is deleted, and its tokens are revoked.') },
    },
    handler: async (request, reply) => {
      const account = await administer(
        context,
        { id: request.params.id, kind: 'service' },
        decideDeletion,
      );
      logEvent(request, 'admin.service_account_deleted', {
        actor: request.caller.sub,
        user: account.id,
      });
      return reply.code(204).send(null);
    },
  });
}
