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
      summary: 'Whether the process is alive',
      description: 'Looks at nothing else: a failing database is no reason for a restart.',
      response: {
        200: z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] }),
      },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
}
