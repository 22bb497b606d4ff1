import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';
import { IfNoneMatch } from '../../http/etag.ts';
import { NoContent } from '../../schemas/session.ts';

export function clientModule(app: App, _context: Context): void {
  const { content, answer } = clientFile('client.js', 'text/javascript; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client.js',
    config: { access: 'public', headers: { 200: ['ETag'], 304: ['ETag'] } },
    schema: {
      operationId: 'getClientModule',
      tags: ['Clients'],
      summary: 'Get the browser module',
      description:
        'An ES module without dependencies that signs in, keeps the access token in memory, refreshes it once for all tabs and adds it to requests. A page at the origin of `ISSUER` or `APP_URL`, or at one in `CORS_ORIGINS`, can import it from here.',
      headers: z.object(IfNoneMatch),
      response: {
        200: { description: 'The module.', content },
        304: NoContent.describe('The module has not changed.'),
      },
    },
    handler: answer,
  });
}
