import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { Contract } from '../../src/commands/check/contract.ts';
import { endpointsIn } from '../../src/commands/check/documents.ts';
import { exchange } from '../../src/commands/check/exchange.ts';
import { NoAnswer } from '../../src/commands/check/odd-answer.ts';
import { forwardedFor } from '../../src/commands/check/proxy.ts';
import { runChecks } from '../../src/commands/check/run-checks.ts';
import { partsOf } from '../../src/commands/check/session.ts';
import { Site } from '../../src/commands/check/site.ts';
import { ok, type World } from '../../src/commands/check/verdict.ts';
import { selfSigned } from '../self-signed.ts';
import { checkLine, findings } from './check/check-line.ts';
import { deployed, onPath, proxy, withMembers } from './check/deployment.ts';

const MEGABYTE = 1_024 * 1_024;

const front = await proxy(t);
await deployed(t, front);

/** A server that is not Latchkey. */
async function serving(t: Test, answer: (to: ServerResponse, of: IncomingMessage) => unknown) {
  const server = createServer((request, response) => answer(response, request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const around = { clock: Date.now, uptime: Date.now };
const siteAt = (url: string) =>
  new Site({ ...around, url: new URL(url), ca: undefined, sleep: async () => {}, requests: 0 });

t.test('an answer is read up to 4 MB, also after it is decompressed', async (t) => {
  const url = await serving(t, (response, { url }) => {
    if (url === '/bomb')
      return response
        .setHeader('content-encoding', 'gzip')
        .end(gzipSync(Buffer.alloc(5 * MEGABYTE)));
    if (url === '/broken') return response.setHeader('content-encoding', 'br').end('x');
    if (url === '/proto') return response.setHeader('content-encoding', '__proto__').end('x');
    const write = () => {
      while (response.write(Buffer.alloc(MEGABYTE)));
    };
    write();
    return response.on('drain', write);
  });
  const long = { message: 'the answer is longer than 4 MB' };
  await t.rejects(exchange(new URL('/endless', url), {}, around), long);
  await t.rejects(exchange(new URL('/bomb', url), {}, around), long);
  await t.rejects(exchange(new URL('/broken', url), {}, around), {
    message: 'the answer is no br',
  });
  t.match(await exchange(new URL('/proto', url), {}, around), { text: 'x' });
  const { bad, code, found } = await findings([url]);
  t.same(bad, ['redirects wrong']);
  t.equal(code, 1);
  t.equal(found.at(-1)?.state, 'skipped', 'the others are told');
});

t.test('all answers together are bounded', async (t) => {
  const site = siteAt(await serving(t, (response) => response.end(Buffer.alloc(3.5 * MEGABYTE))));
  for (let asked = 0; asked < 4; asked++) await site.ask('/');
  for (let asked = 0; asked < 2; asked++)
    await t.rejects(site.ask('/'), { message: 'all answers together are longer than 16 MB' });
  t.equal(site.answers.length, 4);
  site.close();
});

t.test('pauses have a limit, alone and together', async (t) => {
  for (const [retry, pauses] of [
    ['1e9', [60_000, 60_000, 60_000, 60_000, 60_000]],
    ['-1e9', Array(8).fill(0)],
  ] as const) {
    const url = await serving(t, (response) =>
      response.writeHead(429, { 'retry-after': retry }).end('{}'),
    );
    const slept: number[] = [];
    const options = { ...around, url: new URL(url), ca: undefined, requests: 0 };
    const site = new Site({ ...options, sleep: async (ms) => slept.push(ms) });
    for (let asked = 0; asked < 8; asked++) t.equal((await site.ask('/')).status, 429);
    t.same(slept, pauses);
    site.close();
  }
  front.fault = {
    back: ({ headers }) => {
      Object.assign(headers, { 'ratelimit-remaining': '0', 'ratelimit-reset': '1e9' });
    },
  };
  const { pauses } = await findings([front.origin, '--fuzz', '--requests', '100', '--seed', '1']);
  t.equal(Math.max(...pauses), 60_000);
  t.equal(pauses.length, 15, 'five minutes, and six seconds for each generated request');
});

t.test('what a check throws is its own finding, and the others run', async (t) => {
  const check = (name: string, run: () => Promise<never>) => ({ group: 'x', name, run });
  const coded = Object.assign(new Error('planted'), { code: 'BAD_INDENT' });
  const checks = [
    check('plain', () => Promise.reject(new TypeError('planted'))),
    check('coded', () => Promise.reject(coded)),
    { group: 'x', name: 'next', run: async () => ok('runs') },
  ];
  t.match(await runChecks(checks, {} as World, () => {}), [
    { state: 'wrong', says: 'an answer cannot be judged: planted' },
    { state: 'wrong', says: 'an answer cannot be judged: planted' },
    { state: 'ok', says: 'runs' },
  ]);
});

t.test('an odd document is a changed document', async (t) => {
  const own = readFileSync('openapi.yaml', 'utf8');
  t.same(
    endpointsIn(own),
    new Set(new Contract(own).endpoints.map(({ method, path }) => `${method} ${path}`)),
  );
  const bomb = `a: &a [x]\n${'b: [*a,*a]\n'.repeat(200)}`;
  for (const rest of [
    '',
    'paths: {}\ncomponents: !evil\u001b[31mRED {}\n',
    'paths:\n  "/(\u001b]0;x\u0007": {get: {}}\n',
    `${bomb}paths:\n  /\u001b[31m(:\n    get:\nx: [\n`,
  ]) {
    front.fault = onPath('/openapi.yaml', (passing) => {
      passing.body = Buffer.from(`openapi: 3.1.0\n${rest}`);
    });
    const { out, err, code } = await checkLine([front.origin]);
    t.match(out, /warning {2}openapi .* changed document; .*only here: POST/, rest);
    t.match(out, /ok {7}document /, 'the other checks run');
    t.notMatch(out, '\u001b');
    t.same([err, code], ['', 0]);
  }
});

t.test('members that are no texts', async (t) => {
  const odd = { toString: 1, valueOf: 1 };
  front.fault = onPath('/.well-known/oauth-authorization-server', (passing) =>
    withMembers(passing, { issuer: odd }),
  );
  const { said } = await findings([front.origin]);
  t.match(said, /metadata: the issuer is \{"toString":1,"valueOf":1\}, not/);
  for (const members of [
    { access_token: 'bnVsbA.bnVsbA.x', code: odd },
    { access_token: odd },
    { access_token: 'e30.MQ.x' },
  ]) {
    const url = await serving(t, (response, { url }) =>
      response.end(JSON.stringify(url === '/livez' ? { status: 'ok' } : members)),
    );
    t.match(
      (await findings([url, '--email', 'a@example.com'])).said,
      /sign-in: the sign-in is answered 200 without an access token/,
    );
  }
  t.match(partsOf('e30.eyJhIjoxfQ.x'), { header: {}, claims: { a: 1 } });
});

t.test('an answer of another form than the contract has', async (t) => {
  const answer = { ...around, method: 'GET', path: '/livez', status: 200, cookies: [], at: 0 };
  const contract = new Contract(readFileSync('openapi.yaml', 'utf8'));
  const headers = { 'content-type': 'application/json' };
  const text = JSON.stringify({ status: 'ok', more: 'x'.repeat(300_000) });
  t.match(contract.faultsOf({ ...answer, headers, text, milliseconds: 1 }), [
    'GET /livez: the answer 200 is longer than 256 KB',
  ]);
});

t.test('the report in JSON has no characters that control a terminal', async (t) => {
  front.fault = onPath('/.well-known/oauth-authorization-server', (passing) =>
    withMembers(passing, { issuer: '\u009b2J\u202e\u{e0001}x' }),
  );
  const { out, found } = await findings([front.origin]);
  t.notMatch(out, /[^\P{C}\n]/u);
  t.match(out, '\\u009b2J\\u202e\\udb40\\udc01x');
  t.match(
    found.find(({ check }) => check === 'metadata'),
    { says: /^the issuer is \u009b2J\u202e\u{e0001}x, /u },
    'and they are in its texts',
  );
});

t.test('only a node that says so is shutting down', async (t) => {
  front.fault = onPath('/readyz', (passing) => {
    passing.status = 404;
    passing.body = Buffer.from('{}');
  });
  const { found } = await findings([front.origin]);
  t.match(
    found.find(({ check }) => check === 'ready'),
    { state: 'wrong', says: '/readyz answers 404' },
  );
});

t.test('something that answers to plain http is not nothing', async (t) => {
  const tls = selfSigned();
  const other = await proxy(t, { tls });
  await deployed(t, other);
  const broken = await serving(t, (response) =>
    response.setHeader('content-encoding', 'gzip').end('x'),
  );
  const { said } = await findings([other.origin, '--plain-http', broken]);
  t.match(said, /plain-http: the answer is no gzip/);
});

t.test('invented addresses are told from one client, also when a window begins', async (t) => {
  // `begins`: the request before which all counts begin anew. `earlier`: what an earlier run has used.
  for (const [isPassedOn, begins, earlier] of [
    [true, 1, 0],
    [true, 2, 0],
    [true, 3, 0],
    [true, 9, 1],
    [false, 1, 0],
    [false, 3, 0],
    [false, 4, 0],
    [false, 5, 0],
  ] as const) {
    const counts = new Map<unknown, number>();
    let asked = 0;
    const url = await serving(t, (response, { headers }) => {
      if (asked++ === begins) counts.clear();
      const address = isPassedOn ? headers['x-forwarded-for'] : undefined;
      const count = (counts.get(address) ?? (address ? earlier : 0)) + 1;
      counts.set(address, count);
      response.setHeader('ratelimit-limit', 100).setHeader('ratelimit-remaining', 100 - count);
      response.end('{}');
    });
    const site = siteAt(url);
    await site.ask('/livez');
    const { state } = await forwardedFor.run({ site } as World);
    t.equal(state, isPassedOn ? 'wrong' : 'ok', `${isPassedOn} ${begins} ${earlier}`);
    site.close();
  }
});

t.test('an address is no name for TLS', async (t) => {
  // The first message of a client has the name as plain text.
  let hello = '';
  const server = createTcp((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        hello = bytes.toString('latin1');
        socket.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  for (const [host, isNamed] of [
    ['127.0.0.1', false],
    ['localhost', true],
  ] as const) {
    const site = siteAt(`https://${host}:${port}`);
    await t.rejects(site.ask('/'), { message: 'no answer: ECONNRESET' });
    t.not(hello, '');
    t.equal(hello.includes(host), isNamed, host);
    hello = '';
    site.close();
  }
});

t.test('a wait that was given up is said in words', async (t) => {
  const signal = AbortSignal.timeout(1);
  const error = await once(new EventEmitter(), 'never', { signal }).catch((reason) => reason);
  t.equal(new NoAnswer(error).message, 'no answer: it takes longer than 10 seconds');
});

t.test('a port that speaks no TLS is no answer', async (t) => {
  const server = createTcp((socket) => socket.on('error', () => {}).end('x'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const { said } = await findings([`https://localhost:${port}`]);
  t.match(said, /^certificate: no answer: E/);
});
