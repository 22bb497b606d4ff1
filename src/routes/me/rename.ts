import { z } from 'zod';
import { changeCaller } from '../../actions/accounts/caller.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { profileOf } from '../../rules/views.ts';
import { Name } from '../../schemas/fields.ts';
import { Profile } from '../../schemas/profile.ts';

export function renameMe(app: App, context: Context): void {
  app.route({
    method: 'PATCH',
    url: '/v1/me',
    config: { access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'renameMe',
      tags: ['Me'],
      summary: 'Change your name',
      description: '`null` removes the name.',
      body: z.strictObject({ name: Name.nullable() }).meta({
        id: 'NewName',
        description: 'The new name, or `null`.',
        examples: [{ name: 'Ada King' }],
      }),
      response: { 200: Profile },
    },
    handler: async ({ caller, body }) => {
      const renamed = await changeCaller(context, caller, (user, now) => {
        const next = { ...user, name: body.name, updated_at: now };
        return { user: next, result: next };
      });
      return profileOf(renamed);
    },
  });
}
