import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import { basePath } from './base-path.ts';
import { VIEWPORT } from './page.ts';

/** On a phone a table of answers is wider than the screen: it scrolls by itself, and the page does not. */
const SCROLLING = '<style>.swagger-ui .responses-wrapper { overflow-x: auto }</style>';

/** The page as its package makes it, and a line that phones need. */
const onPhones = (page: string): string =>
  page.replace(
    '<meta charset="UTF-8">',
    (charset) => `${charset}\n      ${VIEWPORT}\n      ${SCROLLING}`,
  );

/** The interactive page, from files of this server alone; the one place whose CSP allows scripts. */
export async function registerDocs(app: FastifyInstance, config: Config): Promise<void> {
  app.addHook('onSend', async (_request, reply, payload) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    return isPage && typeof payload === 'string' ? onPhones(payload) : payload;
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: basePath(config),
    staticCSP: true,
    theme: { title: escaped(`${config.PRODUCT_NAME} API`) },
    transformStaticCSP: () =>
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    uiConfig: {
      // Without the bar that asks for the address of another document.
      layout: 'BaseLayout',
      persistAuthorization: false,
      validatorUrl: null,
      docExpansion: 'list',
    },
  });
  app.get(
    '/openapi.yaml',
    { config: { access: 'public' }, schema: { hide: true } },
    (_request, reply) => reply.type('application/yaml').send(app.swagger({ yaml: true })),
  );
}
