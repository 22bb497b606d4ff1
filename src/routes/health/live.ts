import { z } from 'zod';
import type { App } from '../../http/app-type.ts';

const Liveness = z.object({ status: z.literal('ok') }).meta({
  id: 'Liveness',
  description: 'The process is alive.',
  examples: [{ status: 'ok' }],
});

export function live(app: App): void {
  app.route({
    method: 'GET',
    url: '/livez',
    config: { access: 'public' },
    schema: {
      operationId: 'checkLiveness',
      tags: ['Health'],
      summary: 'Check whether the process is alive',
      description: 'Checks nothing else: restarting does not repair a failing database.',
      response: {
        200: Liveness,
      },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
}
