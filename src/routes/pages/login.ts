import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { sendsPage, servesPages } from '../../http/own-page.ts';

export function loginPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  app.route({
    method: 'GET',
    url: '/login',
    config: { access: 'public' },
    schema: { hide: true },
    handler: sendsPage(config, { name: 'login', title: 'Sign in' }),
  });
}
