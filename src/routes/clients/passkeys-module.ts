import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function passkeysModule(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-passkeys.js', 'text/javascript; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-passkeys.js',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getPasskeysModule',
      tags: ['Clients'],
      summary: 'Get the passkey module',
      description: 'An ES module that adds passkeys to `/client.js`, which it imports.',
      response: { 200: { description: 'The module.', content } },
    },
    handler: answer,
  });
}
