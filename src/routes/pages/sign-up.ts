import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { mailedPage, servesPages, TOKEN } from '../../http/mailed-page.ts';

export function signUpPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  const page = mailedPage(config, {
    title: 'Finish signing up',
    path: '/v1/register/complete',
    body: { token: TOKEN, password: 'a password of at least 15 characters', name: 'Your name' },
    outcome:
      'Your account is ready, and the answer contains your tokens. The link works for 24 hours.',
  });
  app.route({
    method: 'GET',
    url: '/sign-up',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('text/html; charset=utf-8').send(page),
  });
}
