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
<li><a href="${escaped(links.documentation)}">All routes, to read and to try</a></li>
<li><a href="${escaped(links.openapi)}">The same for tools (OpenAPI)</a></li>
<li><a href="${escaped(links.metadata)}">Where libraries find keys and endpoints</a></li>
</ul>`,
  });
  app.route({
    method: 'GET',
    url: '/',
    config: { access: 'public' },
    schema: { hide: true },
    handler: async ({ headers }, reply) => {
      // Origin too, as on every answer of a service that other origins may call.
      reply.header('vary', 'Accept, Origin');
      return WANTS_HTML.test(headers.accept ?? '')
        ? reply.type('text/html; charset=utf-8').send(html)
        : reply.send(links);
    },
  });
}
