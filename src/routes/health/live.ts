import { z } from 'zod';
import type { App } from '../../http/app-type.ts';

export function live(app: App): void {
  app.route({
    method: 'GET',
    url: '/livez',
    config: { access: 'public' },
    schema: {
      operationId: 'live',
      tags: ['Health'],
      summary: 'Check whether the process is alive',
      description: 'Checks nothing else: restarting does not repair a failing database.',
      response: {
        200: z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] }),
      },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
}
