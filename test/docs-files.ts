import swaggerUi from 'swagger-ui-dist/package.json' with { type: 'json' };

/** Where the docs page has the files of Swagger UI. */
export const SWAGGER_UI = `/docs/static/${swaggerUi.version}`;

/** The paths of those that it needs. */
export const docsFiles = [
  'favicon-16x16.png',
  'favicon-32x32.png',
  'index.css',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
].map((name) => `${SWAGGER_UI}/${name}`);
