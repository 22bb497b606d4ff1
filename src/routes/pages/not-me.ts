import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { sendsPage, servesPages } from '../../http/own-page.ts';

export function notMePage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  app.route({
    method: 'GET',
    url: '/not-me',
    config: { access: 'public' },
    schema: { hide: true },
    handler: sendsPage(config, { name: 'not-me', title: 'This was not me' }),
  });
}
