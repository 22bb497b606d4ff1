import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function mailCodesDeclarations(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-mail-codes.d.ts', 'text/plain; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-mail-codes.d.ts',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getMailCodesDeclarations',
      tags: ['Clients'],
      summary: 'Get the types of the module for codes by mail',
      description: 'The TypeScript declarations of `/client-mail-codes.js`.',
      response: { 200: { description: 'The declarations.', content } },
    },
    handler: answer,
  });
}
