import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { accountRows, opened } from '../databases.ts';
import { operations, urlOf } from '../operations.ts';
import { admin } from '../people.ts';
import { testApp } from '../test-app.ts';

const db = opened(t, 'file::memory:');
const app = await testApp(t, { database: db, pace: 'real' });
const { logs } = app;
const port = Number(new URL(await app.app.listen({ host: '127.0.0.1', port: 0 })).port);
const { access_token } = await admin(app);
const rows = () => accountRows(db);
const before = await rows();
const lines = (from: number) => logs.slice(from).filter(({ msg }) => msg === 'request');

/** Writes bytes, then more of them slowly, and reads until the server closes. */
function raw(
  bytes: string | Buffer,
  drip?: { text: string; every: number },
  at = port,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(at, '127.0.0.1', () => socket.write(bytes));
    const timer = drip && setInterval(() => socket.write(drip.text), drip.every);
    socket.on('data', (chunk) => {
      answer += chunk;
      clearInterval(timer);
    });
    socket.on('close', () => {
      clearInterval(timer);
      resolve(answer);
    });
    // Later writes reach a closed connection.
    socket.on('error', () => {});
    socket.setTimeout(4_000, () => {
      socket.destroy();
      reject(new Error(`left open: ${answer}`));
    });
  });
}

const CLOSE = 'Connection: close\r\n';
const get = (headers: string, path = '/livez') =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

const ROUTES = {
  '/v1/login': ['application/json', '{}'],
  '/oauth/token': ['application/x-www-form-urlencoded', 'a=b'],
} as const;

/** Requests that two HTTP implementations may split differently (request smuggling). */
const smuggling = (path: keyof typeof ROUTES): Record<string, string> => {
  const [type, body] = ROUTES[path];
  const size = body.length;
  const post = (framing: string, rest: string, version = '1.1') =>
    `POST ${path} HTTP/${version}\r\nHost: a\r\nContent-Type: ${type}\r\n${framing}\r\n${rest}`;
  const chunked = `${size}\r\n${body}\r\n0\r\n\r\n`;
  const hidden = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n';
  const TE = 'Transfer-Encoding: chunked\r\n';
  return {
    'a length and chunks': post(`Content-Length: ${size}\r\n${TE}`, `0\r\n\r\n${hidden}`),
    'chunks and a length': post(`${TE}Content-Length: ${size}\r\n`, `0\r\n\r\n${hidden}`),
    'two lengths': post(`Content-Length: ${size}\r\nContent-Length: 99\r\n`, body + hidden),
    'one length twice': post(`Content-Length: ${size}\r\nContent-Length: ${size}\r\n`, body),
    'a list of lengths': post(`Content-Length: ${size}, ${size}\r\n`, body),
    'a signed length': post(`Content-Length: +${size}\r\n`, body),
    'a negative length': post('Content-Length: -1\r\n', body),
    'a length in hexadecimal': post(`Content-Length: 0x${size}\r\n`, body),
    'a length past every number': post(`Content-Length: ${'9'.repeat(30)}\r\n`, body),
    'two codings': post(`${TE}Transfer-Encoding: identity\r\n`, chunked + hidden),
    'an unknown coding': post('Transfer-Encoding: xchunked\r\n', chunked + hidden),
    'a compressed coding': post('Transfer-Encoding: gzip, chunked\r\n', chunked),
    'a coding after chunks': post('Transfer-Encoding: chunked, gzip\r\n', chunked),
    'chunks in HTTP/1.0': post(TE, chunked + hidden, '1.0'),
    'a coding with a vertical tab': post('Transfer-Encoding: \vchunked\r\n', chunked + hidden),
    'a space before the colon': post('Transfer-Encoding : chunked\r\n', chunked + hidden),
    'a folded coding': post('Transfer-Encoding:\r\n chunked\r\n', chunked + hidden),
    'a chunk size that is none': post(TE, `zz\r\n${body}\r\n0\r\n\r\n${hidden}`),
    'a negative chunk': post(TE, `-${size}\r\n${body}\r\n0\r\n\r\n`),
    'a chunk past every number': post(TE, `${'f'.repeat(20)}\r\n${body}\r\n0\r\n\r\n`),
    'a chunk that ends with a bare LF': post(TE, `${size}\n${body}\n0\n\n${hidden}`),
    'a chunk longer than it says': post(TE, `1\r\n${body}\r\n0\r\n\r\n${hidden}`),
    'a chunk extension without end': post(TE, `${size};${'a'.repeat(20_000)}\r\n${body}\r\n`),
    'a bare LF after a header': `POST ${path} HTTP/1.1\nHost: a\nContent-Length: 0\n\n`,
    'a bare CR in a header': post('X: a\rContent-Length: 99\r\n', body),
    'a folded header': post('X: a\r\n b\r\n', body),
    'two Host headers': post('Host: b\r\nContent-Length: 0\r\n', ''),
    'two Content-Type headers': post(
      `Content-Type: text/plain\r\nContent-Length: ${size}\r\n`,
      body,
    ),
    'two credentials': post(
      `Authorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\nContent-Length: ${size}\r\n`,
      body,
    ),
    'an ESC in a header': post('User-Agent: \u001b[2J\r\n', body),
    'HTTP/2 without being asked': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/3.7': `POST ${path} HTTP/3.7\r\nHost: a\r\n\r\n`,
    'a tunnel': `CONNECT ${path} HTTP/1.1\r\nHost: a\r\n\r\n`,
    'a method of nobody': `FOO ${path} HTTP/1.1\r\nHost: a\r\n\r\n`,
  };
};

for (const path of Object.keys(ROUTES) as (keyof typeof ROUTES)[]) {
  t.test(
    `API-05 ${path} refuses every ambiguous framing, closes, and finds no second request in it`,
    async (t) => {
      for (const [kind, bytes] of Object.entries(smuggling(path))) {
        const from = logs.length;
        const answer = await raw(bytes);
        const [head = '', body = ''] = answer.split('\r\n\r\n');
        t.match(head, /^HTTP\/1\.1 400 /, kind);
        t.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, `${kind}: one answer`);
        for (const header of [
          /^connection: close/im,
          /^cache-control: no-store/im,
          /^content-security-policy: default-src 'none';/im,
          /^x-content-type-options: nosniff/im,
          /^referrer-policy: no-referrer/im,
          /^strict-transport-security: max-age=63072000; includeSubDomains/im,
        ])
          t.match(head, header, `${kind}: ${header}`);
        // Refused by the parser, or by a hook before the body was read: it reached no route.
        t.match(
          JSON.parse(body),
          head.includes('problem') ? { status: 400 } : { error: /./ },
          kind,
        );
        await sleep(1);
        // A well-formed head leaves a second line: the request that got no response itself.
        const answered = lines(from).filter(({ status }) => status !== null);
        t.match(answered, [{ status: 400 }], `${kind}: one line`);
        t.equal(answered.length, 1, kind);
        t.notMatch(JSON.stringify(logs.slice(from)), /livez|u001b/, kind);
      }
    },
  );
}

t.test('API-13 dot segments and backslashes do not reach a protected path', async (t) => {
  const spoil = (path: string) => {
    const last = path.lastIndexOf('/');
    const [head, tail] = [path.slice(0, last), path.slice(last + 1)];
    return [
      `${head}/./${tail}`,
      `${head}/x/../${tail}`,
      `/x/..${path}`,
      `/livez/..${path}`,
      `/livez/..;${path}`,
      `${head}/%2e/${tail}`,
      `/%2e%2e${path}`,
      `${head}\\${tail}`,
      `${path}/.`,
      `${path}/..`,
      `${path}#x`,
    ];
  };
  const guarded = operations.filter(({ bearer }) => bearer);
  for (const { method, path } of guarded) {
    for (const url of spoil(urlOf({ path }))) {
      const from = logs.length;
      const authorization = `Authorization: Bearer ${access_token}\r\n`;
      const answer = await raw(
        `${method} ${url} HTTP/1.1\r\nHost: a\r\n${CLOSE}${authorization}Content-Length: 0\r\n\r\n`,
      );
      t.match(answer, /^HTTP\/1\.1 (400|404|405) /, `${method} ${url}`);
      t.equal(lines(from).length, 1);
    }
  }
});

/** The response head, and whether the connection was closed after it. */
const refusedAtOnce = (t: Test, answer: string, what: string) => {
  t.match(answer, /^HTTP\/1\.1 400 /, what);
  t.match(answer, /^connection: close/im, what);
  t.match(answer, /"code":"bad_request"/, what);
};

t.test(
  'API-05 a repeated singleton field is refused: no proxy can see another token, type or host',
  async (t) => {
    const once: Record<string, [string, string]> = {
      Authorization: [`Bearer ${access_token}`, 'Bearer x'],
      'Proxy-Authorization': ['Basic YTpi', 'Basic YTpi'],
      'Content-Type': ['application/json', 'application/json'],
      'User-Agent': ['one', 'other'],
      From: ['a@example.com', 'b@example.com'],
      Referer: ['http://a/', 'http://b/'],
      'Max-Forwards': ['1', '2'],
      'If-Modified-Since': ['Mon, 01 Jan 1990 00:00:00 GMT', 'Tue, 02 Jan 1990 00:00:00 GMT'],
      'If-Unmodified-Since': ['Mon, 01 Jan 2090 00:00:00 GMT', 'Tue, 02 Jan 2090 00:00:00 GMT'],
      'If-Range': ['"a"', '"b"'],
      Range: ['bytes=0-1', 'bytes=1-2'],
      Origin: ['http://localhost:3000', 'https://evil.example'],
      Cookie: ['a=b', 'c=d'],
      'Idempotency-Key': ['one', 'other'],
      'Access-Control-Request-Method': ['GET', 'POST'],
    };
    for (const [name, [one, other]] of Object.entries(once)) {
      for (const [first, second] of [
        [`${name}: ${one}`, `${name.toUpperCase()}: ${other}`],
        [`${name.toLowerCase()}: ${one}`, `X-Between: 1\r\n${name}: ${one}`],
      ]) {
        const answer = await raw(get(`${first}\r\n${second}\r\n`, '/v1/whoami'));
        refusedAtOnce(t, answer, `${first} ${second}`);
        t.match(answer, `The request has the header ${name.toLowerCase()} more than once.`);
        t.notMatch(answer, /evil|Bearer x/, 'no input is repeated');
      }
      const alone = await raw(get(`${name}: ${one}\r\n${CLOSE}`));
      t.match(alone, /^HTTP\/1\.1 (200|206) /, `one ${name}`);
    }
  },
);

t.test('a list field may be spread over several lines', async (t) => {
  const lists = [
    'Accept: text/html',
    'Accept-Language: de',
    'If-None-Match: "a"',
    'X-Forwarded-For: 192.0.2.1',
    'X-Forwarded-Proto: http',
    'Forwarded: for=192.0.2.1',
    'Via: 1.1 a',
    'Cache-Control: no-cache',
    'X-Anything: a',
  ];
  for (const field of lists)
    t.match(await raw(get(`${field}\r\n${field}\r\n${CLOSE}`)), /^HTTP\/1\.1 200 /, field);
});

t.test('API-05 an invalid Host is refused for every form of the request target', async (t) => {
  const hosts = [
    '',
    ' ',
    'localhost/x',
    'a@localhost',
    'a b',
    'a, b',
    'a,b',
    'a\tb',
    'localhost:abc',
    'localhost:-1',
    'localhost:80:80',
    'localhost:65536',
    'localhost:000080',
    ':3000',
    '[::1',
    '::1',
    '[::1]x',
    '[]',
    '[127.0.0.1]',
    '[fe80::1%25eth0]',
    '[v1.x]',
    'http://localhost',
    'localhost?x',
    'localhost#x',
    'localhost\\x',
    'local%host',
    '<localhost>',
    '"localhost"',
    'b\u00fccher.example',
    'a\u0080b',
    'a\u0001b',
    `${'a'.repeat(256)}`,
  ];
  for (const host of hosts) {
    const plain = `GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    refusedAtOnce(t, await raw(Buffer.from(plain, 'latin1')), `Host: ${host}`);
    const old = `GET /livez HTTP/1.0\r\nHost: ${host}\r\n\r\n`;
    refusedAtOnce(t, await raw(Buffer.from(old, 'latin1')), `Host: ${host} in HTTP/1.0`);
  }
});

t.test('every valid Host is accepted, repeatedly', async (t) => {
  for (const host of [
    'localhost',
    'LOCALHOST:3000',
    'localhost:',
    'localhost:65535',
    'localhost:0080',
    'id.example.com.',
    'xn--bcher-kva.example',
    'my_service:8080',
    'a%20b',
    '127.0.0.1:3000',
    '[::1]',
    '[::1]:3000',
    '[::ffff:127.0.0.1]:3000',
    'a'.repeat(255),
  ])
    for (const _ of [1, 2]) {
      const answer = await raw(`GET /livez HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`);
      t.match(answer, /^HTTP\/1\.1 200 /, host);
    }
  t.match(await raw('GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /, 'HTTP/1.0 needs none');
  refusedAtOnce(t, await raw('GET /livez HTTP/1.1\r\n\r\n'), 'HTTP/1.1 does');
});

t.test('malformed requests count towards the rate limit', async (t) => {
  const counted = await testApp(t, { env: { RATE_LIMIT: '2/1m' } });
  const at = Number(new URL(await counted.app.listen({ host: '127.0.0.1', port: 0 })).port);
  const twice = 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n';
  const statuses = [];
  for (const bytes of [
    get(twice),
    'GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n',
    get(twice),
    'GET ftp://a/livez HTTP/1.1\r\nHost: a\r\n\r\n',
  ])
    statuses.push((await raw(bytes, undefined, at)).slice(9, 12));
  t.same(statuses, ['400', '400', '429', '429']);
});

t.test('a target in absolute form is routed by its path, for any host', async (t) => {
  for (const address of ['http://evil.example', 'HTTPS://evil.example:443', 'http://[::1]:80']) {
    const absolute = await raw(get(CLOSE, `${address}/v1/me`));
    t.match(absolute, /"code":"token_missing"/);
    t.notMatch(absolute, /evil/);
  }
  const [empty, query, root] = await Promise.all(
    ['http://evil.example', 'http://evil.example?x', '/'].map((path) => raw(get(CLOSE, path))),
  );
  const status = (answer: string | undefined) => answer?.slice(0, 12);
  t.same([status(empty), status(query)], [status(root), status(root)], 'no path is the root');
});

t.test('API-05 a target in absolute form that is not http or https is refused', async (t) => {
  for (const address of [
    'ftp://a/livez',
    'foo://a/livez',
    'http://a@b/livez',
    'http://a:b@c/livez',
    'http:///livez',
    'http://a,b/livez',
    'http://a:99999/livez',
    'http://a:65536/livez',
    'http://[::1/livez',
    'http://a#b/livez',
    'http://a/livez#b',
  ])
    refusedAtOnce(t, await raw(get('', address)), address);
});

t.test('API-09 Expect and Upgrade requests do not bypass the hooks', async (t) => {
  for (const header of [
    'Expect: nonsense',
    'Expect: 200-ok',
    'Upgrade: websocket',
    'Upgrade: h2c',
  ]) {
    const from = logs.length;
    const connection = header.startsWith('Upgrade') ? 'Connection: close, Upgrade\r\n' : CLOSE;
    const answer = await raw(get(`${header}\r\n${connection}`, '/v1/me'));
    t.match(answer, /^HTTP\/1\.1 401 /, header);
    t.match(answer, /strict-transport-security/i);
    t.equal(lines(from).length, 1);
  }
  const length = `Content-Type: application/json\r\nContent-Length: 2\r\n${CLOSE}`;
  const post = `POST /v1/login HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${length}\r\n{}`;
  t.match(await raw(post), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 422 /);
});

t.test(
  'pipelined requests are handled separately, and a malformed one is answered once',
  async (t) => {
    const from = logs.length;
    const answer = await raw(`${get('', '/v1/me')}GARBAGE\r\n\r\n`);
    t.same(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 401', 'HTTP/1.1 400']);
    await sleep(20);
    t.same(
      lines(from)
        .map(({ route, status }) => `${route} ${status}`)
        .sort(),
      ['/v1/me 401', 'null 400'],
    );
  },
);

t.test(
  'a client that disconnects before its answer leaves one log line and no error',
  async (t) => {
    const from = logs.length;
    const body = '{"email":"nobody@example.com","password":"x"}';
    const head = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(`POST /v1/login HTTP/1.1\r\nHost: a\r\n${head}\r\n${body}`);
        setTimeout(() => socket.resetAndDestroy(), 10);
      });
      socket.on('close', () => resolve());
    });
    for (let waited = 0; lines(from).length === 0 && waited < 1_000; waited += 10) await sleep(10);
    t.match(lines(from), [{ route: '/v1/login', status: null }]);
  },
);

t.test('API-02 endless chunks are cut off at 16 KB', async (t) => {
  for (const [path, [type]] of Object.entries(ROUTES)) {
    const from = logs.length;
    const chunk = `400\r\n${' '.repeat(0x400)}\r\n`;
    const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${CLOSE}`;
    const answer = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`);
    t.match(answer, /^HTTP\/1\.1 413 /);
    t.match(lines(from), [{ status: 413 }]);
  }
});

t.test(
  'API-06 slow headers, slow bodies and idle connections time out, even while bytes trickle in',
  async (t) => {
    const { server } = app.app;
    t.match(
      [server.headersTimeout, server.requestTimeout, server.keepAliveTimeout, server.timeout],
      [10_000, 15_000, 72_000, 30_000],
    );
    Object.assign(server, { headersTimeout: 150, requestTimeout: 300, keepAliveTimeout: 150 });
    const body = 'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"email":"';
    const slow: Record<string, Promise<string>> = {
      'no byte at all': raw(''),
      'half a header': raw('GET /livez HTTP/1.1\r\nHost: a\r\nX: '),
      'headers, one letter at a time': raw('GET /livez HTTP/1.1\r\nX: ', { text: 'a', every: 50 }),
      'half a body': raw(`POST /v1/login HTTP/1.1\r\nHost: a\r\n${body}`),
      'a body, one letter at a time': raw(`POST /v1/login HTTP/1.1\r\nHost: a\r\n${body}`, {
        text: 'a',
        every: 50,
      }),
    };
    const from = logs.length;
    for (const [kind, answer] of Object.entries(slow)) {
      t.match(await answer, /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/, kind);
    }
    t.equal(lines(from).filter(({ status }) => status === 408).length, Object.keys(slow).length);
    t.match(await raw(get('')), /^HTTP\/1\.1 200 /, 'an idle connection closes by itself');
  },
);

t.test('a refused client that never closes its side does not keep a socket open', async (t) => {
  const sockets = ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 'no HTTP\r\n\r\n'].map((bytes) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {}).resume();
    socket.write(bytes);
    return socket;
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const count = () =>
    new Promise<number>((resolve) =>
      app.app.server.getConnections((_error, open) => resolve(open)),
    );
  await Promise.all(sockets.map((socket) => once(socket, 'end')));
  t.ok((await count()) >= sockets.length, 'its answer can still be read');
  for (let waited = 0; waited < 10_000 && (await count()) > 0; waited += 50) await sleep(50);
  t.equal(await count(), 0);
});

t.test(
  'ERR-04 afterwards no row has changed, no error was logged, and the service answers',
  async (t) => {
    t.same(await rows(), before);
    t.same(
      logs.filter(({ level }) => Number(level) >= 50),
      [],
    );
    t.match(await raw(get(CLOSE, '/readyz')), /^HTTP\/1\.1 200 /);
  },
);
