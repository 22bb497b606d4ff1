import { ADMIN } from '../../actions/administration/administration.ts';
import { pageOf } from '../../actions/administration/pages.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { serviceAccountView } from '../../rules/views.ts';
import { PageQuery, ServiceAccountsPage } from '../../schemas/administration.ts';

export function listServiceAccounts(app: App, { users }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/service-accounts',
    config: { access: requireRole(ADMIN), problems: ['invalid_input'] },
    schema: {
      operationId: 'listServiceAccounts',
      tags: ['Administration'],
      summary: 'List service accounts',
      description: 'Oldest first, in pages. Shows no secrets.',
      querystring: PageQuery,
      response: { 200: ServiceAccountsPage },
    },
    handler: async ({ query }) => {
      const page = await pageOf(query, ({ after, limit }) =>
        users.list({ kind: 'service', after, limit }),
      );
      return { service_accounts: page.rows.map(serviceAccountView), next_cursor: page.nextCursor };
    },
  });
}
