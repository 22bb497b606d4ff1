import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { SWAGGER_UI } from '../docs-files.ts';
import { testApp } from '../test-app.ts';

const { app, logs, context } = await testApp(t);
const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);

/** Writes bytes and reads until the server closes, or until it has answered if `close` is set. */
const raw = (text: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
    socket.setTimeout(3_000, () => socket.destroy(new Error(`left open: ${answer}`)));
  });

const POST = 'POST /v1/register HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
const CLOSE = 'Connection: close\r\n';

const bad: Record<string, [string | Buffer, number, string]> = {
  garbage: ['HELLO\r\n\r\n', 400, 'bad_request'],
  'binary garbage': [Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01]), 400, 'bad_request'],
  'two Host headers': [
    `GET /livez HTTP/1.1\r\nHost: a\r\n${CLOSE}Host: b\r\n\r\n`,
    400,
    'bad_request',
  ],
  'one Host twice': [
    `GET /livez HTTP/1.1\r\nHost: a\r\n${CLOSE}hOST: a\r\n\r\n`,
    400,
    'bad_request',
  ],
  'a length and chunks': [
    `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad_request',
  ],
  'chunks and a length': [
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    400,
    'bad_request',
  ],
  'two lengths': [`${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'bad_request'],
  'a length that is none': [`${POST}Content-Length: +2\r\n\r\n{}`, 400, 'bad_request'],
  'an unknown coding': [`${POST}Transfer-Encoding: xchunked\r\n\r\n{}`, 400, 'bad_request'],
  'a chunk size that is none': [
    `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    400,
    'bad_request',
  ],
  'a folded header': ['GET /livez HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400, 'bad_request'],
  'a bare line feed': ['GET /livez HTTP/1.1\nHost: a\n\n', 400, 'bad_request'],
  'a space before the colon': ['GET /livez HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad_request'],
  'a NUL in a header': ['GET /livez HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', 400, 'bad_request'],
  'a header of 20 KB': [
    `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  'a path of 20 KB': [
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  'chunks of 20 KB': [
    `${POST}${CLOSE}Transfer-Encoding: chunked\r\n\r\n5000\r\n${' '.repeat(0x5000)}\r\n0\r\n\r\n`,
    413,
    'body_too_large',
  ],
};

t.test('malformed HTTP gets a problem, and the connection closes', async (t) => {
  for (const [kind, [bytes, status, code]] of Object.entries(bad)) {
    const answer = await raw(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `), kind);
    for (const header of [
      /^content-type: application\/problem\+json/im,
      /^cache-control: no-store/im,
      /^content-security-policy: default-src 'none';/im,
      /^x-content-type-options: nosniff/im,
      /^referrer-policy: no-referrer/im,
      /^strict-transport-security: max-age=63072000; includeSubDomains/im,
      /^connection: close/im,
    ]) {
      t.match(head, header, `${kind}: ${header}`);
    }
    t.match(JSON.parse(body), { status, code, type: `/problems/${code}` }, kind);
    t.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, `${kind}: one answer`);
  }
});

t.test('API-09 HTTP/1.1 without a Host is refused; HTTP/1.0 needs none', async (t) => {
  const answer = await raw(`GET /livez HTTP/1.1\r\n${CLOSE}\r\n`);
  t.match(answer, /^HTTP\/1\.1 400 /);
  t.match(answer, /"code":"bad_request"/);
  t.match(answer, /strict-transport-security/i);
  t.match(await raw('GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
});

t.test('dot segments do not reach another path', async (t) => {
  for (const path of [
    '/docs/static/..',
    '/docs/static/../x',
    '/docs/static/%2e%2e/%2e%2e/x',
    `${SWAGGER_UI}/..`,
    `${SWAGGER_UI}/../x`,
    '/v1/./me',
    '/v1/x/../me',
    '/x/../livez',
    '/%2e/livez',
    '*',
    'x',
    'livez',
  ]) {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`);
    t.match(answer, /^HTTP\/1\.1 40[04] /, path);
  }
});

t.test('BEA-06 two Authorization headers are refused', async (t) => {
  const authorization = (token: string) => `Authorization: ${token}\r\n`;
  const answer = await raw(
    `GET /v1/me HTTP/1.1\r\nHost: a\r\n${CLOSE}${authorization('Basic x')}${authorization('Bearer x.y.z')}\r\n`,
  );
  t.match(answer, /^HTTP\/1\.1 400 /);
  t.match(answer, /"code":"bad_request"/);
  t.notMatch(answer, /www-authenticate/i);
});

t.test('headers that arrive too slowly are 408', async (t) => {
  app.server.headersTimeout = 100;
  const answer = await raw('GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ');
  t.match(answer, /^HTTP\/1\.1 408 /);
  t.match(answer, /"code":"request_timeout"/);
});

t.test('a client that disconnects is not logged as an error', async (t) => {
  for (const start of ['GET /livez HT', `${POST}Content-Length: 100\r\n\r\n{"email":`]) {
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () =>
          socket.write(start, () => setTimeout(() => socket[end](), 20)),
        );
        socket.on('close', () => resolve());
      });
    }
  }
  await sleep(50);
  t.same(
    logs.filter(({ level }) => Number(level) >= 50),
    [],
  );
});

t.test('afterwards the server still answers, and nothing was stored', async (t) => {
  const answer = await raw(`GET /readyz HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`);
  t.match(answer, /^HTTP\/1\.1 200 /);
  t.equal(await context.users.findByEmail('ada@example.com'), undefined);
});
