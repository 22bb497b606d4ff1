import { z } from 'zod';
import { ADMIN, assertKind } from '../../actions/administration/administration.ts';
import { viewOfUser } from '../../actions/administration/user-view.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { Refusal } from '../../rules/refusal.ts';
import { UserView } from '../../schemas/administration.ts';

export function readUser(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/users/:id',
    config: { access: requireRole(ADMIN), problems: ['not_found'] },
    schema: {
      operationId: 'readUser',
      tags: ['Administration'],
      summary: 'Read a user',
      description: 'Reads the database, and so shows the latest changes.',
      params: z.object({ id: z.string() }),
      response: { 200: UserView },
    },
    handler: async ({ params }) => {
      const user = await context.users.findById(params.id);
      if (user === undefined) throw new Refusal('not_found');
      assertKind(user, 'person');
      return viewOfUser(context, user);
    },
  });
}
