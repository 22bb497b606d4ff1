import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Context } from '../../context.ts';
import { freshCaller } from '../../domain/fresh.ts';
import { isLive } from '../../domain/sessions.ts';
import { SessionView } from '../../schemas/session.ts';

const Sessions = z
  .object({ sessions: z.array(SessionView) })
  .meta({ examples: [{ sessions: SessionView.meta()?.examples }] });

const time = (instant: number) => new Date(instant).toISOString();

export function listSessions(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/me/sessions',
    config: { access: 'bearer', problems: ['unavailable'] },
    schema: {
      operationId: 'listSessions',
      tags: ['Me'],
      summary: 'List your devices',
      description: 'Every live session, the one of this request marked. Holds no token.',
      response: { 200: Sessions },
    },
    handler: async ({ caller }) => {
      const user = await freshCaller(context, caller);
      const live = user.sessions.filter((session) => isLive(session, context.clock()));
      return {
        sessions: live.map(
          ({ id, client, transport, amr, created_at, rotated_at, expires_at }) => ({
            id,
            client,
            transport,
            amr,
            created_at: time(created_at),
            refreshed_at: time(rotated_at),
            expires_at: time(expires_at),
            current: id === caller.sid,
          }),
        ),
      };
    },
  });
}
