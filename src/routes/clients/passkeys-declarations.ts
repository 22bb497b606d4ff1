import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function passkeysDeclarations(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-passkeys.d.ts', 'text/plain; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-passkeys.d.ts',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getPasskeysDeclarations',
      tags: ['Clients'],
      summary: 'Get the types of the passkey module',
      description: 'The TypeScript declarations of `/client-passkeys.js`.',
      response: { 200: { description: 'The declarations.', content } },
    },
    handler: answer,
  });
}
