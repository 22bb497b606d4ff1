import { readdirSync } from 'node:fs';
import t from 'tap';
import { docsFiles, SWAGGER_UI } from '../docs-files.ts';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

t.test(
  'the page loads files of this server alone, with and without a slash at its end',
  async (t) => {
    for (const base of ['', '/auth']) {
      const { app } = await testApp(t, { env: { ISSUER: `http://localhost:3000${base}` } });
      const page = await app.inject({ url: `${base}/docs` });
      t.equal(page.headers['content-security-policy'], CSP);
      t.equal(page.headers['cache-control'], 'no-store');
      const withSlash = await app.inject({ url: `${base}/docs/` });
      t.equal(withSlash.payload, page.payload);
      t.equal(withSlash.headers['content-security-policy'], CSP);
      const loaded = [...page.payload.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
      const script = `${base}/docs/swagger-initializer.js`;
      t.same(loaded.sort(), [...docsFiles.map((path) => `${base}${path}`), script].sort());
      t.notMatch(page.payload, /<script>/);
      const { payload, headers } = await app.inject({ url: script });
      t.match(headers['content-type'], /^text\/javascript/);
      t.match(payload, `"url":"${base}/openapi.yaml"`);
    }
  },
);

t.test('a browser keeps the files of Swagger UI: their path has its version', async (t) => {
  const { app } = await testApp(t);
  for (const url of docsFiles) {
    const { statusCode, headers } = await app.inject({ url });
    t.equal(statusCode, 200, url);
    t.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    t.match(headers['content-type'], /^(image\/png|text\/css|application\/javascript)/);
    const head = await app.inject({ method: 'HEAD', url });
    t.same([head.statusCode, head.payload], [200, '']);
    t.equal(head.headers['content-length'], headers['content-length']);
    const again = await app.inject({ url, headers: { 'if-none-match': `${headers['etag']}` } });
    t.same([again.statusCode, again.payload], [304, '']);
  }
});

t.test('no other file of the package is served', async (t) => {
  const { inject } = await testApp(t);
  const others = readdirSync('node_modules/swagger-ui-dist').filter(
    (name) => !docsFiles.includes(`${SWAGGER_UI}/${name}`),
  );
  t.ok(others.includes('package.json') && others.includes('swagger-ui-bundle.js.map'));
  for (const url of [
    ...others.map((name) => `${SWAGGER_UI}/${name}`),
    '/docs/static/swagger-ui.css',
    '/docs/json',
    '/docs/yaml',
  ])
    refused(t, await inject({ url }), 404, 'not_found');
});
