import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { mailedPage, servesPages, TOKEN } from '../../http/mailed-page.ts';

export function confirmEmailPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  const page = mailedPage(config, {
    title: 'Confirm your address',
    path: '/v1/email/confirm',
    body: { token: TOKEN },
    outcome: 'Your new address is now in use. The link works for 24 hours.',
  });
  app.route({
    method: 'GET',
    url: '/confirm-email',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
