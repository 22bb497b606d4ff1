import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';
import { IfNoneMatch } from '../../http/etag.ts';
import { NoContent } from '../../schemas/session.ts';

export function passkeysDeclarations(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-passkeys.d.ts', 'text/plain; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-passkeys.d.ts',
    config: { access: 'public', headers: { 200: ['ETag'], 304: ['ETag'] } },
    schema: {
      operationId: 'getPasskeysDeclarations',
      tags: ['Clients'],
      summary: 'Get the types of the passkey module',
      description: 'The TypeScript declarations of `/client-passkeys.js`.',
      headers: z.object(IfNoneMatch),
      response: {
        200: { description: 'The declarations.', content },
        304: NoContent.describe('The declarations have not changed.'),
      },
    },
    handler: answer,
  });
}
