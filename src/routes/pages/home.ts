import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { sendsPage, servesPages } from '../../http/own-page.ts';

const WANTS_HTML = /\btext\/html\b/i;

export function homePage(app: App, { config }: Context): void {
  const { ISSUER } = config;
  const links = {
    documentation: `${ISSUER}/docs`,
    openapi: `${ISSUER}/openapi.yaml`,
    metadata: `${ISSUER}/.well-known/oauth-authorization-server`,
  };
  const sendPage = sendsPage(
    config,
    servesPages(config)
      ? { name: 'home', title: 'Welcome' }
      : { name: 'elsewhere', title: 'Welcome', hasScript: false },
  );
  app.route({
    method: 'GET',
    url: '/',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (request, reply) => {
      // The header replaces the one that CORS sets, so it names Origin too.
      reply.header('vary', 'Accept, Origin');
      return WANTS_HTML.test(request.headers.accept ?? '')
        ? sendPage(request, reply)
        : reply.send(links);
    },
  });
}
