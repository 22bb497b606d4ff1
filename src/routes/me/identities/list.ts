import { readCaller } from '../../../actions/accounts/caller.ts';
import { identitiesOf } from '../../../actions/factors/provider/my-identities.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { Identities } from '../../../schemas/identity.ts';

export function listIdentities(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/me/identities',
    config: { access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'listIdentities',
      tags: ['Providers'],
      summary: 'List the outside providers',
      description: 'Every provider, and whether your account there signs in here.',
      response: { 200: Identities },
    },
    handler: async ({ caller }) => ({
      identities: identitiesOf(context, await readCaller(context, caller)),
    }),
  });
}
