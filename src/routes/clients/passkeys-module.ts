import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';
import { IfNoneMatch } from '../../http/etag.ts';
import { NoContent } from '../../schemas/session.ts';

export function passkeysModule(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-passkeys.js', 'text/javascript; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-passkeys.js',
    config: { access: 'public', headers: { 200: ['ETag'], 304: ['ETag'] } },
    schema: {
      operationId: 'getPasskeysModule',
      tags: ['Clients'],
      summary: 'Get the passkey module',
      description: 'An ES module that adds passkeys to `/client.js`, which it imports.',
      headers: z.object(IfNoneMatch),
      response: {
        200: { description: 'The module.', content },
        304: NoContent.describe('The module has not changed.'),
      },
    },
    handler: answer,
  });
}
