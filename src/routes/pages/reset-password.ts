import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { mailedPage, servesPages, TOKEN } from '../../http/mailed-page.ts';

export function resetPasswordPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  const page = mailedPage(config, {
    title: 'Choose a new password',
    path: '/v1/password/reset',
    body: { token: TOKEN, password: 'a password of at least 15 characters' },
    outcome: 'Your password is changed, and every session has ended. The link works once.',
  });
  app.route({
    method: 'GET',
    url: '/reset-password',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
