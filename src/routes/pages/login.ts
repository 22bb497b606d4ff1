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
      'The answer contains your tokens. If your account has a second factor, it contains an mfa_token instead: send that to /v1/login/mfa, with a code.',
  });
  app.route({
    method: 'GET',
    url: '/login',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
