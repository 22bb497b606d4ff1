import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { clientFile } from '../../http/client-file.ts';

export function mailCodesModule(app: App, _context: Context): void {
  const { content, answer } = clientFile('client-mail-codes.js', 'text/javascript; charset=utf-8');
  app.route({
    method: 'GET',
    url: '/client-mail-codes.js',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getMailCodesModule',
      tags: ['Clients'],
      summary: 'Get the module for codes by mail',
      description: 'An ES module that adds codes by mail to `/client.js`.',
      response: { 200: { description: 'The module.', content } },
    },
    handler: answer,
  });
}
