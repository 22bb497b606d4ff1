import { ADMIN } from '../../actions/administration/administration.ts';
import { byAddress, byId, pageOf } from '../../actions/administration/pages.ts';
import { viewOfUser } from '../../actions/administration/user-view.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { emailKey } from '../../rules/accounts.ts';
import { UsersPage, UsersQuery } from '../../schemas/administration.ts';

export function listUsers(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/users',
    config: { access: requireRole(ADMIN), problems: ['invalid_input'] },
    schema: {
      operationId: 'listUsers',
      tags: ['Administration'],
      summary: 'List users',
      description:
        'In pages, oldest first. A search by address is sorted by address. Service accounts and deleted users are not listed.',
      querystring: UsersQuery,
      response: { 200: UsersPage },
    },
    handler: async ({ query }) => {
      const emailPrefix = query.email && emailKey(query.email);
      const order = emailPrefix === undefined ? byId : byAddress(emailPrefix);
      const page = await pageOf({ ...query, order }, ({ after, limit }) =>
        context.users.list({ kind: 'person', after, limit, emailPrefix }),
      );
      return {
        users: page.rows.map((user) => viewOfUser(context, user)),
        next_cursor: page.nextCursor,
      };
    },
  });
}
