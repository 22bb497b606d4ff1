import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { mailedPage, servesPages } from '../../http/mailed-page.ts';

export function loginPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  const page = mailedPage(config, {
    title: 'Sign in',
    path: '/v1/login',
    body: { email: 'you@example.com', password: 'your password' },
    outcome:
      'The answer has your tokens; or, where a second factor is set, says what to send to /v1/login/mfa.',
  });
  app.route({
    method: 'GET',
    url: '/login',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
