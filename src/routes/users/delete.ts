import { z } from 'zod';
import { tell } from '../../actions/accounts/letters.ts';
import { ADMIN, administer, decideDeletion } from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { NoContent } from '../../schemas/session.ts';

export function deleteUser(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/users/:id',
    config: { access: requireRole(ADMIN), problems: ['not_found', 'last_admin'] },
    schema: {
      operationId: 'deleteUser',
      tags: ['Administration'],
      summary: 'Delete a user',
      description: 'This cannot be undone. The last administrator cannot be deleted.',
      params: z.object({ id: z.string() }),
      response: { 204: NoContent.describe('The account is deleted, and its tokens are revoked.') },
    },
    handler: async (request, reply) => {
      const { params, caller } = request;
      const user = await administer(context, { id: params.id, kind: 'person' }, decideDeletion);
      tell(context, user, 'account.deleted');
      logEvent(request, 'admin.user_deleted', { actor: caller.sub, user: user.id });
      return reply.code(204).send(null);
    },
  });
}
