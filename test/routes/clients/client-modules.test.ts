import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { document } from '../../operations.ts';
import { testApp } from '../../test-app.ts';

/** Bytes. */
const MOST = 4_096;

t.test(
  'the browser module is one small file without imports, below the base path too',
  async (t) => {
    for (const base of ['', '/auth']) {
      const { app } = await testApp(t, { env: { ISSUER: `http://localhost:3000${base}` } });
      const { statusCode, headers, payload } = await app.inject({ url: `${base}/client.js` });
      t.equal(statusCode, 200);
      t.match(headers, {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=300',
        etag: /^"[\w-]+"$/,
      });
      const size = gzipSync(payload, { level: 9 }).length;
      t.ok(size <= MOST, `${size} bytes compressed`);
      t.notMatch(payload, /\bimport\b/);
      t.equal(payload, readFileSync('src/clients/client.js', 'utf8'));
    }
  },
);

t.test('only pages that may call the API can import it from another origin', async (t) => {
  const { inject } = await testApp(t, { env: { CORS_ORIGINS: 'https://app.example.com' } });
  const allowed = async (origin: string) =>
    (await inject({ url: '/client.js', headers: { origin } })).headers[
      'access-control-allow-origin'
    ];
  t.equal(await allowed('https://app.example.com'), 'https://app.example.com');
  t.equal(await allowed('https://evil.example'), undefined);
});

t.test('the DPoP module is small, and imports nothing', async (t) => {
  const { inject } = await testApp(t);
  const { headers, payload } = await inject({ url: '/client-dpop.js' });
  t.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  const size = gzipSync(payload, { level: 9 }).length;
  t.ok(size <= 2_048, `${size} bytes compressed`);
  t.notMatch(payload, /\bimport\b/);
  const types = await inject({ url: '/client-dpop.d.ts' });
  t.equal(types.payload, readFileSync('src/clients/client-dpop.d.ts', 'utf8'));
});

t.test(
  'the passkey module is smaller still, and imports the browser module beside it',
  async (t) => {
    const { inject } = await testApp(t);
    const { headers, payload } = await inject({ url: '/client-passkeys.js' });
    t.equal(headers['content-type'], 'text/javascript; charset=utf-8');
    const size = gzipSync(payload, { level: 9 }).length;
    t.ok(size <= 2_048, `${size} bytes compressed`);
    t.same(
      [...payload.matchAll(/\bimport\b.*/g)].map(([line]) => line),
      ["import { LatchkeyError } from './client.js';"],
    );
    const types = await inject({ url: '/client-passkeys.d.ts' });
    t.equal(types.payload, readFileSync('src/clients/client-passkeys.d.ts', 'utf8'));
  },
);
t.test('what may be cached is not sent again to those who have it', async (t) => {
  const { inject } = await testApp(t);
  const files = Object.entries(document.paths).flatMap(([path, { get }]) =>
    get?.tags.includes('Clients') ? [path] : [],
  );
  t.ok(files.includes('/client-dpop.d.ts'), 'every module, and its types');
  for (const url of [...files, '/.well-known/jwks.json']) {
    const first = await inject({ url });
    const etag = String(first.headers.etag);
    // A proxy that compresses makes it weak; a cache may have several answers.
    for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const again = await inject({ url, headers: { 'if-none-match': known } });
      t.same([again.statusCode, again.payload], [304, ''], `${url} ${known}`);
      t.equal(again.headers.etag, etag);
      t.equal(again.headers['cache-control'], first.headers['cache-control']);
    }
    const other = await inject({ url, headers: { 'if-none-match': '"another"' } });
    t.same([other.statusCode, other.payload], [200, first.payload], url);
  }
});

t.test('the module for codes by mail is a few lines, without imports', async (t) => {
  const { inject } = await testApp(t);
  const { headers, payload } = await inject({ url: '/client-mail-codes.js' });
  t.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  const size = gzipSync(payload, { level: 9 }).length;
  t.ok(size <= 512, `${size} bytes compressed`);
  t.notMatch(payload, /\bimport\b/);
  const types = await inject({ url: '/client-mail-codes.d.ts' });
  t.equal(types.payload, readFileSync('src/clients/client-mail-codes.d.ts', 'utf8'));
});

t.test('the modules have every text of their sources, space for space', (t) => {
  const room = 'src/clients';
  const files = readdirSync(room, { recursive: true, encoding: 'utf8' });
  const read = (ending: RegExp) =>
    files
      .filter((name) => ending.test(name))
      .map((name) => readFileSync(`${room}/${name}`, 'utf8'));
  const modules = read(/\.js$/).join('');
  const code = read(/(?<!\.d)\.ts$/)
    .join('')
    .replace(/^import [^;]*;|^ *(\/\/|\/?\*).*/gm, '');
  const texts = [...code.matchAll(/'[^'\n]*'|`[^`\n]*`/g)]
    .map(String)
    .filter((text) => text.includes(' '));
  t.ok(texts.includes("'no answer of the service'"));
  for (const text of texts) t.ok(modules.includes(text), text);
  t.end();
});
