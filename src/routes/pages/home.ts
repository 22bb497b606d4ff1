import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { page } from '../../http/page.ts';
import { escaped } from '../../parts/mail/letter.ts';

const WANTS_HTML = /\btext\/html\b/i;

export function homePage(app: App, { config: { ISSUER, PRODUCT_NAME } }: Context): void {
  const links = {
    documentation: `${ISSUER}/docs`,
    openapi: `${ISSUER}/openapi.yaml`,
    metadata: `${ISSUER}/.well-known/oauth-authorization-server`,
  };
  const html = page({
    title: PRODUCT_NAME,
    product: 'API',
    body: `<p>Sign-up, sign-in and access tokens, as a REST API.</p>
<ul>
<li><a href="${escaped(links.documentation)}">Read about every route, and try it</a></li>
<li><a href="${escaped(links.openapi)}">The OpenAPI document, for tools</a></li>
<li><a href="${escaped(links.metadata)}">The server metadata, for OAuth libraries</a></li>
</ul>`,
  });
  app.route({
    method: 'GET',
    url: '/',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async ({ headers }, reply) => {
      // The header replaces the one that CORS sets, so it names Origin too.
      reply.header('vary', 'Accept, Origin');
      return WANTS_HTML.test(headers.accept ?? '')
        ? reply.type('text/html; charset=utf-8').send(html)
        : reply.send(links);
    },
  });
}
