import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { servesPages } from '../../http/own-page.ts';

/** Where password managers send people who should change a password (W3C, A Well-Known URL for Changing Passwords). */
export function changePasswordAddress(app: App, { config }: Context): void {
  if (!servesPages(config)) return;
  app.route({
    method: 'GET',
    url: '/.well-known/change-password',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.redirect(`${config.ISSUER}/account#password`, 302),
  });
}
