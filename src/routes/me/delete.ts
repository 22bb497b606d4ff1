import { assertStands, proveCaller } from '../../actions/accounts/caller.ts';
import { tell } from '../../actions/accounts/letters.ts';
import {
  changeKeepingAnAdmin,
  decideDeletion,
} from '../../actions/administration/administration.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { CurrentPassword } from '../../schemas/fields.ts';
import { NoContent } from '../../schemas/session.ts';

export function deleteMe(app: App, context: Context): void {
  app.route({
    method: 'DELETE',
    url: '/v1/me',
    config: {
      headers: { 204: ['Set-Cookie'] },
      access: 'person',
      tighterLimit: true,
      problems: ['wrong_password', 'throttled', 'overloaded', 'last_admin', 'unavailable'],
    },
    schema: {
      operationId: 'deleteMe',
      tags: ['Me'],
      summary: 'Delete your account',
      description:
        'Needs your password again. Deletes your data and revokes all your tokens at once.',
      body: CurrentPassword,
      response: { 204: NoContent.describe('The account is deleted.') },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const user = await proveCaller(context, caller, {
        password: body.password,
        signal: signalOf(reply),
      });
      await changeKeepingAnAdmin(context, caller.sub, (before, now) => {
        assertStands(before, caller, now);
        return decideDeletion(before, now);
      });
      tell(context, user, 'account.deleted');
      logEvent(request, 'account.deleted', { user: caller.sub });
      clearRefreshCookie(reply, context.config);
      return reply.code(204).send(null);
    },
  });
}
