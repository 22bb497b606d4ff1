import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { sendsPage, servesPages } from '../../http/own-page.ts';

/** For everybody: the page itself has no data. What it shows, it gets from the API. */
export function adminPage(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  app.route({
    method: 'GET',
    url: '/admin',
    config: { access: 'public' },
    schema: { hide: true },
    handler: sendsPage(config, { name: 'admin', title: 'Administration', width: 'wide' }),
  });
}
