import { readCaller } from '../../../actions/accounts/caller.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { passkeyView } from '../../../rules/views.ts';
import { Passkeys } from '../../../schemas/passkey.ts';

export function listPasskeys(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/me/passkeys',
    config: { access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'listPasskeys',
      tags: ['Passkeys'],
      summary: 'List your passkeys',
      description: 'Your passkeys, the oldest first.',
      response: { 200: Passkeys },
    },
    handler: async ({ caller }) => {
      const { passkeys } = await readCaller(context, caller);
      return { passkeys: passkeys.map(passkeyView) };
    },
  });
}
