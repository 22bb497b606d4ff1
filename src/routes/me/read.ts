import { readCaller } from '../../actions/accounts/caller.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { profileOf } from '../../rules/views.ts';
import { Profile } from '../../schemas/profile.ts';

export function readMe(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/me',
    config: { access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'readMe',
      tags: ['Me'],
      summary: 'Read your profile',
      description: 'Reads the database, unlike `/v1/whoami`, and so shows the latest changes.',
      response: { 200: Profile },
    },
    handler: async ({ caller }) => profileOf(await readCaller(context, caller)),
  });
}
