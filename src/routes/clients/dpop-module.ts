import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function dpopModule(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-dpop.js', 'text/javascript; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-dpop.js',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getDpopModule',
      tags: ['Clients'],
      summary: 'Get the DPoP module',
      description:
        'An ES module for `/client.js` that binds sessions to a key of the browser (RFC 9449).',
      response: { 200: { description: 'The module.', content } },
    },
    handler: answer,
  });
}
