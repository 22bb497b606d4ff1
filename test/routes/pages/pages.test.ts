import { globSync } from 'node:fs';
import { relative } from 'node:path';
import t from 'tap';
import { pageFiles } from '../../../src/http/page-files.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const PAGES = [
  '/login',
  '/sign-up',
  '/forgot-password',
  '/reset-password',
  '/confirm-email',
  '/not-me',
  '/admin',
  '/account',
];

const html = { accept: 'text/html' };
/** Scripts and style sheets. */
const loadedBy = (page: string) =>
  [...page.matchAll(/(?:src|href)="([^"]*\/pages\/[^"]*)"/g)].map(([, url]) => url as string);

for (const base of ['', '/auth'])
  t.test(
    `each page of ${base}/ loads only what the service has, under a strict policy`,
    async (t) => {
      const app = await testApp(t, {
        env: { ISSUER: `http://localhost:3000${base}`, PRODUCT_NAME: '<b>"Harbour" & Sons</b>' },
      });
      for (const path of [...PAGES, '/']) {
        const answer = await app.app.inject({ url: base + path, headers: html });
        t.equal(answer.statusCode, 200, path);
        t.match(answer.headers, {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-store',
          'cross-origin-opener-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        });
        const policy = String(answer.headers['content-security-policy']);
        for (const directive of [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "form-action 'none'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
        ])
          t.ok(policy.split('; ').includes(directive), `${path}: ${directive}`);
        t.notMatch(
          answer.payload,
          /<b>|\{\{|undefined|<style|style=|<script(?! type="module" src=)/,
        );
        t.match(answer.payload, /<html lang="en"/);
        t.match(answer.payload, /<noscript>.*JavaScript/);
        t.match(
          answer.payload,
          /<title>.+ – &lt;b&gt;&quot;Harbour&quot; &amp; Sons&lt;\/b&gt;<\/title>/,
        );
        t.equal(answer.payload.match(/<main>/g)?.length, 1);
        const files = loadedBy(answer.payload);
        t.ok(
          files.some((file) => file.endsWith('/client.js')),
          `${path}: known before it is imported`,
        );
        for (const file of files)
          t.equal((await app.app.inject({ url: file })).statusCode, 200, file);
      }
    },
  );

t.test(
  'browsers keep the files of this version for ever, and those of another not at all',
  async (t) => {
    const app = await testApp(t);
    const page = await app.inject({ url: '/login' });
    const [style = ''] = loadedBy(page.payload);
    const folder = style.replace('style.css', '');
    const scripts = globSync('src/pages/**/*.js').map((file) => relative('src/pages', file));
    for (const name of [...scripts, 'client.js', 'style.css']) {
      const answer = await app.inject({ url: folder + name });
      t.equal(answer.statusCode, 200, name);
      t.match(answer.headers, {
        'content-type': name.endsWith('.js') ? /^text\/javascript/ : /^text\/css/,
        'cache-control': 'public, max-age=31536000, immutable',
        etag: /^"[\w-]{43}"$/,
      });
      const known = { 'if-none-match': String(answer.headers.etag) };
      const again = await app.inject({ url: folder + name, headers: known });
      t.same([again.statusCode, again.payload], [304, '']);
      const other = await app.inject({ url: `/pages/another/${name}` });
      t.equal(other.payload, answer.payload);
      t.equal(other.headers['cache-control'], 'no-store');
    }
    for (const name of ['login.html', 'tsconfig.json', '..%2fclients%2fplatform.ts', ''])
      refused(t, await app.inject({ url: folder + name }), 404, 'not_found');
  },
);

t.test('what the pages load is read once for a service', async (t) => {
  const { config } = (await testApp(t)).context;
  t.equal(pageFiles(config), pageFiles(config));
});

t.test('the colour of the product is in the style sheet, and in its path', async (t) => {
  const folders = new Set<string>();
  for (const color of ['#3b5bdb', '#0a7d4f']) {
    const app = await testApp(t, { env: { PRODUCT_COLOR: color } });
    const [style = ''] = loadedBy((await app.inject({ url: '/login' })).payload);
    t.match((await app.inject({ url: style })).payload, `--accent: ${color};`);
    folders.add(style);
  }
  t.equal(folders.size, 2);
});

t.test('with an application elsewhere, the pages are off', async (t) => {
  const app = await testApp(t, { env: { APP_URL: 'https://app.example.com' } });
  const [style = '', ...scripts] = loadedBy(
    (await app.inject({ url: '/', headers: { accept: 'text/html' } })).payload,
  );
  t.match(style, /style\.css$/);
  t.same(scripts, []);
  t.equal((await app.inject({ url: style })).statusCode, 200);
  const folder = style.replace('style.css', '');
  const files = ['login.js', 'account/page.js', 'client.js'].map((name) => folder + name);
  for (const url of [...PAGES, '/.well-known/change-password', '/pages/x/login.js', ...files])
    refused(t, await app.inject({ url }), 404, 'not_found');
});

t.test('password managers learn where to change a password', async (t) => {
  const app = await testApp(t, { env: { ISSUER: 'http://localhost:3000/auth' } });
  const answer = await app.inject({ url: '/.well-known/change-password' });
  t.equal(answer.statusCode, 302);
  t.equal(answer.headers.location, 'http://localhost:3000/auth/account#password');
});
