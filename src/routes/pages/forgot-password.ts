import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { mailedPage, servesPages } from '../../http/mailed-page.ts';

export function forgotPasswordPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  const page = mailedPage(config, {
    title: 'Forgot your password?',
    path: '/v1/password/forgot',
    body: { email: 'you@example.com' },
    outcome: 'If there is an account with this address, a mail with a link is on its way.',
  });
  app.route({
    method: 'GET',
    url: '/forgot-password',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
