import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function dpopDeclarations(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-dpop.d.ts', 'text/plain; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-dpop.d.ts',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getDpopDeclarations',
      tags: ['Clients'],
      summary: 'Get the types of the DPoP module',
      description: 'The TypeScript declarations of `/client-dpop.js`.',
      response: { 200: { description: 'The declarations.', content } },
    },
    handler: answer,
  });
}
