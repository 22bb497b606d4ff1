import { z } from 'zod';
import { readCaller } from '../../actions/accounts/caller.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { isLive } from '../../rules/sessions.ts';
import { sessionView } from '../../rules/views.ts';
import { SessionView } from '../../schemas/session.ts';

const Sessions = z.object({ sessions: z.array(SessionView) }).meta({
  id: 'Sessions',
  description: 'The live sessions.',
  examples: [{ sessions: SessionView.meta()?.examples }],
});

export function listSessions(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/me/sessions',
    config: { access: 'person', problems: ['unavailable'] },
    schema: {
      operationId: 'listSessions',
      tags: ['Me'],
      summary: 'List your devices',
      description: 'Your live sessions. `current` marks the one that sent this request.',
      response: { 200: Sessions },
    },
    handler: async ({ caller }) => {
      const user = await readCaller(context, caller);
      const live = user.sessions.filter((session) => isLive(session, context.clock()));
      return { sessions: live.map((session) => sessionView(session, caller.sid)) };
    },
  });
}
