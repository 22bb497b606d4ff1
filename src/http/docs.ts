import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import swaggerUi from 'swagger-ui-dist/package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import { basePath } from './base-path.ts';
import { VIEWPORT } from './page.ts';

const PACKAGE = new URL('.', import.meta.resolve('swagger-ui-dist/package.json'));

/** What the page loads of Swagger UI. The package has more, such as 7 MB of source maps. */
const FILES = [
  'favicon-16x16.png',
  'favicon-32x32.png',
  'index.css',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
];

/** A browser never has to ask for them again: another version has another path. */
const DIRECTORY = `/docs/static/${swaggerUi.version}`;
const CACHED = { maxAge: '365d', immutable: true };

/** The one place that allows scripts, and only those of this server. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** On a phone a table of answers is wider than the screen: it scrolls by itself, and the page does not. No answer has links. */
const STYLE =
  '<style>.swagger-ui .responses-wrapper { overflow-x: auto } .swagger-ui .response-col_links { display: none }</style>';

function docsPage(config: Config): string {
  const base = escaped(basePath(config));
  const directory = `${base}${DIRECTORY}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${VIEWPORT}
<title>${escaped(`${config.PRODUCT_NAME} API`)}</title>
<link rel="icon" type="image/png" sizes="32x32" href="${directory}/favicon-32x32.png">
<link rel="icon" type="image/png" sizes="16x16" href="${directory}/favicon-16x16.png">
<link rel="stylesheet" href="${directory}/swagger-ui.css">
<link rel="stylesheet" href="${directory}/index.css">
${STYLE}
</head>
<body>
<div id="swagger-ui"></div>
<script src="${directory}/swagger-ui-bundle.js"></script>
<script src="${base}/docs/swagger-initializer.js"></script>
</body>
</html>
`;
}

/** A file, because the content security policy forbids scripts in the page. */
function initializer(config: Config): string {
  const options = {
    url: `${basePath(config)}/openapi.yaml`,
    dom_id: '#swagger-ui',
    // Without the bar that asks for the address of another document.
    layout: 'BaseLayout',
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
    docExpansion: 'list',
  };
  return `SwaggerUIBundle(${JSON.stringify(options)});\n`;
}

/** The interactive page. Swagger UI loads the OpenAPI document, and nothing from elsewhere. */
export async function registerDocs(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(fastifyStatic, { root: PACKAGE, serve: false });
  const open = { config: { access: 'public' }, schema: { hide: true } } as const;
  const page = docsPage(config);
  for (const path of ['/docs', '/docs/'])
    app.get(path, open, (_request, reply) =>
      reply.header('content-security-policy', CSP).type('text/html; charset=utf-8').send(page),
    );
  const script = initializer(config);
  app.get('/docs/swagger-initializer.js', open, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(script),
  );
  for (const file of FILES)
    app.get(`${DIRECTORY}/${file}`, open, (_request, reply) => reply.sendFile(file, CACHED));
}
