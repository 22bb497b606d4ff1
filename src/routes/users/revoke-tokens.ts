import { z } from 'zod';
import { administer } from '../../actions/administration/administration.ts';
import { subjectId } from '../../actions/administration/subjects.ts';
import type { Context } from '../../context.ts';
import { requireRole } from '../../http/access.ts';
import type { App } from '../../http/app-type.ts';
import { logEvent } from '../../http/logging.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { NoContent } from '../../schemas/session.ts';
import { SubjectIdentifier } from '../../schemas/subject.ts';

/** Lets a program sign users out, and do nothing else. */
const SESSIONS_REVOKE = 'sessions:revoke';

export function revokeUserTokens(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/global-token-revocation',
    config: { access: requireRole(SESSIONS_REVOKE), problems: ['not_found'] },
    schema: {
      operationId: 'revokeUserTokens',
      tags: ['Administration'],
      summary: 'Revoke every token of a user',
      description:
        'Global Token Revocation (draft-parecki-oauth-global-token-revocation), for security monitoring and identity providers. Ends every session of the user, who can sign in again. For a service account with the role `sessions:revoke`.',
      body: z.strictObject({ sub_id: SubjectIdentifier }).meta({
        id: 'GlobalTokenRevocation',
        examples: [{ sub_id: { format: 'email', email: 'ada@example.com' } }],
      }),
      response: {
        204: NoContent.describe('Every session has ended, and every access token is revoked.'),
      },
    },
    handler: async (request, reply) => {
      const { body, caller } = request;
      const id = await subjectId(context, body.sub_id);
      await administer(context, { id, kind: 'person', caller }, (user, now) => ({
        user: withEverySessionEnded(user, now),
        result: undefined,
      }));
      logEvent(request, 'client.sessions_revoked', { actor: caller.sub, user: id });
      return reply.code(204).send(null);
    },
  });
}
