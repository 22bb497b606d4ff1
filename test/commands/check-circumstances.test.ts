import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checksFor } from '../../src/commands/check/checks.ts';
import { Contract } from '../../src/commands/check/contract.ts';
import { pauseAfter } from '../../src/commands/check/fuzz.ts';
import { generated, randomFrom } from '../../src/commands/check/generator.ts';
import { hostOf, portOf, Site } from '../../src/commands/check/site.ts';
import { VECTOR } from '../../src/commands/check/tokens-refused.ts';
import { ok, type World } from '../../src/commands/check/verdict.ts';
import { codeAt, withFactor } from '../authenticator.ts';
import { folder } from '../databases.ts';
import { freePort } from '../free-port.ts';
import { selfSigned } from '../self-signed.ts';
import { keysFor, PASSWORD } from '../test-app.ts';
import vectors from '../vectors/ES256.json' with { type: 'json' };
import { checkLine, findings } from './check/check-line.ts';
import { deployed, onPath, type Passing, proxy, withMembers } from './check/deployment.ts';

const EMAIL = 'ada@example.com';
const DOCUMENT = readFileSync('openapi.yaml', 'utf8');

const front = await proxy(t);
const app = await deployed(t, front);
await app.signUp(EMAIL);

/** An HTTP server that answers everything with a status. */
async function answering(t: Test, status: number, headers: Record<string, string> = {}) {
  const server = createServer((_request, answer) => answer.writeHead(status, headers).end());
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://localhost:${port}`;
}

t.test('a redirect ends the check', async (t) => {
  const url = await answering(t, 301, { location: 'https://auth.example.com/livez' });
  const { bad, said, found, code } = await findings([url]);
  t.same(bad, ['redirects wrong']);
  t.match(said, /answers 301 and leads to https:\/\/auth\.example\.com\/livez/);
  t.match(
    found.find(({ check }) => check === 'document'),
    { state: 'skipped', says: 'needs problems' },
  );
  t.equal(code, 1);
});

t.test('another issuer is named', async (t) => {
  const other = await proxy(t);
  const { signUp } = await deployed(t, other, { ISSUER: 'https://auth.example.com' });
  await signUp(EMAIL);
  const { bad, said } = await findings([other.origin, '--email', EMAIL]);
  t.same(bad, ['metadata wrong']);
  t.match(said, /the issuer is https:\/\/auth\.example\.com, not http:\/\/localhost/);
});

t.test('tokens of every algorithm are verified', async (t) => {
  for (const alg of ['EdDSA', 'PS256', 'RS256', 'HS256'] as const) {
    const other = await proxy(t);
    const { signUp } = await deployed(t, other, { SIGNING_KEYS: keysFor(alg) });
    await signUp(EMAIL);
    const { bad, said } = await findings([other.origin, '--email', EMAIL]);
    t.same(bad, alg === 'HS256' ? ['key-set warning'] : [], `${alg} ${said}`);
  }
});

t.test('an issuer with a path is checked below it', async (t) => {
  const other = await proxy(t);
  const { app } = await deployed(t, other, { ISSUER: `${other.origin}/auth` });
  const payload = { email: EMAIL, password: PASSWORD };
  t.equal(
    (await app.inject({ method: 'POST', url: '/auth/v1/register', payload })).statusCode,
    201,
  );
  const { bad, said } = await findings([`${other.origin}/auth/`, '--email', EMAIL]);
  t.same(bad, [], said);
  other.fault = onPath('/.well-known/oauth-authorization-server/auth', (passing) =>
    withMembers(passing, { jwks_uri: 'https://other.example.com' }),
  );
  t.match((await findings([`${other.origin}/auth`])).said, /jwks_uri is not below the issuer/);
});

t.test('an origin that is not in the list is named with what its pages lack', async (t) => {
  front.fault = {};
  const { bad, said } = await findings([front.origin, '--origin', 'https://new.example.com']);
  t.same(bad, ['cors https://new.example.com wrong']);
  t.match(said, /Access-Control-Allow-Origin is undefined/);
});

t.test('a refresh is repeated with its key, which a proxy must pass on', async (t) => {
  const other = await proxy(t);
  const { signUp } = await deployed(t, other, { REFRESH_GRACE: '0s' });
  await signUp(EMAIL);
  t.same((await findings([other.origin, '--email', EMAIL])).bad, []);
  other.fault = {
    there: (headers) => {
      delete headers['idempotency-key'];
    },
  };
  const { bad, said } = await findings([other.origin, '--email', EMAIL]);
  t.same(bad, ['refresh wrong']);
  t.match(said, /a refresh is answered 401 refresh_reused/);
});

t.test('a wrong password is told from a fault, and is read from standard input', async (t) => {
  front.fault = {};
  const around = { input: 'wrong horse battery staple\n', password: undefined };
  const { bad, said, out } = await findings([front.origin, '--email', EMAIL], around);
  t.same(bad, ['sign-in wrong']);
  t.match(said, /401 invalid_credentials/);
  t.notOk(out.includes('wrong horse'));
  const right = { input: `${PASSWORD}\n`, password: undefined };
  t.same((await findings([front.origin, '--email', EMAIL], right)).bad, []);
});

t.test('a second factor is asked for at a terminal, and skipped elsewhere', async (t) => {
  front.fault = {};
  const email = 'bob@example.com';
  // A code counts once: the one that confirms it is from a minute ago.
  app.clock.now = Date.now() - 90_000;
  const { secret } = await withFactor(t, app, email);
  app.clock.now = Date.now();
  const words = [front.origin, '--email', email];
  const { found, bad } = await findings(words);
  t.same(bad, []);
  t.match(
    found.find(({ check }) => check === 'sign-in'),
    { state: 'skipped', says: /second factor/ },
  );
  const input = `${codeAt(secret, Date.now())}\n`;
  const asked = await findings(words, { isTTY: true, input });
  t.same(asked.bad, [], asked.said);
  t.match(
    asked.found.find(({ check }) => check === 'sign-in'),
    { state: 'ok' },
  );
  t.match(
    asked.found.find(({ check }) => check === 'cookies'),
    { state: 'skipped', says: /a code counts once/ },
  );
  t.match(asked.err, /Code of the authenticator app/);
});

t.test('slow answers are a warning', async (t) => {
  front.fault = {};
  let time = 0;
  const uptime = () => {
    time += 600;
    return time;
  };
  const { bad, code } = await findings([front.origin], { uptime });
  t.same(bad, ['response-time warning']);
  t.equal(code, 0, 'a warning is no failure');
});

t.test('a clock that is off is named once, also by new tokens', async (t) => {
  front.fault = {};
  const { bad, said } = await findings([front.origin, '--email', EMAIL], {
    clock: () => Date.now() - 100_000,
  });
  t.same(bad, ['clock wrong']);
  t.match(said, /iat of a new token is (99|100|101) seconds off/);
});

t.test('a limit that is reached is waited for', async (t) => {
  for (const [headers, pause] of [
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '900' }, 60_000],
    [{}, 1_000],
  ] as const) {
    let refused = 0;
    front.fault = onPath('/livez', (passing) => {
      refused += 1;
      if (refused === 1) Object.assign(passing, { status: 429, headers });
    });
    const { pauses, bad } = await findings([front.origin]);
    t.same(pauses, [pause]);
    t.same(bad, []);
  }
});

t.test('generated requests leave a fifth of the limit to others', async (t) => {
  const headers = { 'ratelimit-limit': '100', 'ratelimit-reset': '12' };
  t.equal(pauseAfter({ headers: { ...headers, 'ratelimit-remaining': '20' } }), 0);
  t.equal(pauseAfter({ headers: { ...headers, 'ratelimit-remaining': '19' } }), 12_000);
  t.equal(pauseAfter({ headers: {} }), 0, 'no limits');
  const other = await proxy(t);
  await deployed(t, other, { RATE_LIMIT: '60/1m' });
  const { pauses, bad, said } = await findings([other.origin, '--fuzz', '--requests', '90']);
  t.same(bad, [], said);
  t.ok(pauses.length > 0);
});

t.test('generated requests find a 5xx and an undeclared answer, and can be repeated', async (t) => {
  // So many that each of the endpoints comes.
  const fuzzed = ['--fuzz', '--requests', '400', '--seed', '5'];
  front.fault = {
    back: (passing) => {
      if (passing.url === '/client.js') passing.status = 502;
    },
  };
  const { bad, said } = await findings([front.origin, ...fuzzed]);
  t.same(bad, ['fuzz wrong']);
  t.match(said, /GET \/client\.js: the answer 502 \(GET \/client\.js\)/);
  front.fault = {
    back: (passing: Passing) => {
      if (passing.method === 'POST' && passing.asked['content-encoding']) passing.status = 207;
    },
  };
  const undeclared = await findings([front.origin, ...fuzzed]);
  t.match(
    undeclared.said,
    /fuzz: POST \/v1\/[\w/{}-]+: the answer 207 is not declared \(POST .* with \{/,
  );
});

t.test('generated requests create no user, send no mail and count no guess', async (t) => {
  const contract = new Contract(DOCUMENT);
  const random = randomFrom(5);
  const seen = new Set<string>();
  for (let count = 0; count < 2_000; count += 1) {
    const { endpoint, body } = generated(contract, { random, own: {} });
    if (!/^(register|forgotPassword|login|sendMailCode)$/.test(endpoint.operationId)) continue;
    seen.add(endpoint.operationId);
    t.notMatch(body, '@check.invalid');
  }
  t.equal(seen.size, 4);
});

t.test('headers that are too large for a proxy, and too large for anyone', async (t) => {
  const other = await proxy(t, { maxHeaderSize: 65_536 });
  await deployed(t, other);
  const big = (bytes: number) => ({
    there: (headers: Record<string, unknown>) => {
      if (String(headers['cookie']).length > 5_000) delete headers['cookie'];
    },
    back: ({ asked, ...passing }: Passing) =>
      String(asked.cookie).length > bytes ? 'lost' : passing && undefined,
  });
  other.fault = big(50_000);
  t.match((await findings([other.origin])).said, /headers of 40000 bytes are accepted/);
  other.fault = big(20_000);
  t.same((await findings([other.origin])).bad, [], 'a closed connection is a refusal too');
  other.fault = {
    ...big(20_000),
    back: (passing) => {
      if (String(passing.asked.cookie).length > 5_000) passing.status = 431;
    },
  };
  t.match((await findings([other.origin])).said, /headers of 6000 bytes are answered 431/);
});

t.test('over TLS', async (t) => {
  const tls = selfSigned();
  const other = await proxy(t, { tls });
  await deployed(t, other);
  const ca = join(folder(t), 'ca.pem');
  writeFileSync(ca, tls.cert);
  const words = [other.origin, '--ca', ca];
  const refusing = await answering(t, 403);

  const { bad, said, found } = await findings([...words, '--plain-http', refusing]);
  t.same(bad, [], said);
  t.match(
    found.find(({ check }) => check === 'certificate'),
    { says: /valid, \d{5} days left/ },
  );
  t.match(
    found.find(({ check }) => check === 'plain-http'),
    { state: 'ok', says: 'plain http is refused with 403' },
  );

  const untrusted = await findings([other.origin]);
  t.same(untrusted.bad, ['certificate wrong'], 'and nothing is sent');
  t.match(untrusted.said, /SELF_SIGNED/);
  t.match(
    untrusted.found.find(({ check }) => check === 'plain-http'),
    { state: 'skipped', says: /give --plain-http/ },
  );

  const late = await findings(words, { clock: () => Date.UTC(2099, 11, 25) });
  t.same(late.bad, ['certificate warning', 'clock wrong']);

  for (const [status, says] of [
    [301, /answers 301, a redirect/],
    [200, /answers 200$/],
    [404, /answers 404$/],
  ] as const) {
    const plain = await findings([...words, '--plain-http', await answering(t, status)]);
    t.same(plain.bad, ['plain-http wrong']);
    t.match(plain.said, says);
  }

  other.fault = {
    back: ({ headers }) => {
      delete headers['strict-transport-security'];
    },
  };
  const silent = await findings([...words, '--plain-http', `http://localhost:${await freePort()}`]);
  t.same(silent.bad, ['security-headers wrong']);
  t.match(silent.said, /strict-transport-security is missing/);
  t.match(
    silent.found.find(({ check }) => check === 'plain-http'),
    { state: 'ok', says: 'nothing answers to plain http' },
  );

  const byAddress = await findings([other.origin.replace('localhost', '127.0.0.1'), '--ca', ca]);
  t.match(byAddress.said, /certificate: clients refuse the certificate/);
});

t.test('over http to another machine no password is sent', async (t) => {
  front.fault = {};
  const url = front.origin.replace('localhost', '0.0.0.0');
  const { bad, found } = await findings([url, '--email', EMAIL]);
  t.same(bad, ['plain-http wrong', 'metadata wrong']);
  t.match(
    found.find(({ check }) => check === 'sign-in'),
    { state: 'skipped', says: 'no password is sent over http' },
  );
});

t.test('the port of a URL, and where plain http would be', async (t) => {
  t.equal(portOf(new URL('https://a.example')), 443);
  t.equal(portOf(new URL('http://a.example')), 80);
  t.equal(portOf(new URL('http://a.example:8080')), 8080);
  t.equal(hostOf(new URL('http://[::1]:8080')), '::1');
  const plainHttp = checksFor({ origins: [], document: DOCUMENT }).find(
    ({ name }) => name === 'plain-http',
  );
  const url = new URL('https://nowhere.invalid');
  const site = new Site({
    url,
    ca: undefined,
    clock: Date.now,
    uptime: Date.now,
    sleep: async () => {},
    requests: 0,
  });
  t.same(await plainHttp?.run({ site, options: {} } as World), ok('nothing answers to plain http'));
});

t.test('colours and a progress bar are for terminals', async (t) => {
  front.fault = {};
  const words = [front.origin, '--fuzz', '--requests', '3'];
  const { out, err } = await checkLine(words, { isTTY: true });
  t.ok(out.includes('\u001b[32mok      \u001b[39m live'));
  t.match(err, /100%/);
  front.fault = onPath('/client.js', () => 'lost');
  const lost = await checkLine([front.origin, '--fuzz', '--seed', '5'], { isTTY: true });
  t.match(lost.out, /wrong +\S+ fuzz +no answer: ECONNRESET/);
  t.match(lost.err, '\u001b8', 'the bar has ended: its timer would keep the process');
  front.fault = {};
  const plain = await checkLine(words);
  t.notOk(plain.out.includes('\u001b'));
  t.match(plain.out, /^TLS\n {2}ok {7}certificate {6}there is none/);
  t.match(plain.out, /\n\nReach\n/);
  t.match(plain.out, /\n\d+ ok, 0 warnings, 0 wrong, \d+ skipped\n$/);
});

t.test('what the deployment says cannot control the terminal', async (t) => {
  front.fault = {
    back: ({ headers }) => {
      headers['server'] = 'a\u009b2Jb';
    },
  };
  const { out } = await checkLine([front.origin]);
  t.match(out, /wrong {4}server-names {5}answers say server: a\\u009b2Jb\n {28}Remove/);
});

t.test('the token that must be refused is one of the pack', async (t) => {
  t.equal(VECTOR, vectors.tokens.find(({ id }) => id === 'valid')?.token);
});

t.test('what the document does not declare of an answer', async (t) => {
  const contract = new Contract(DOCUMENT);
  const answer = {
    method: 'GET',
    path: '/livez',
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    cookies: [],
    text: '{"status":"ok"}',
    milliseconds: 1,
    at: 0,
  };
  const faults = (change: object) => contract.faultsOf({ ...answer, ...change });
  const where = 'GET /livez: the answer 200';
  const headers = answer.headers;
  t.same(faults({}), []);
  t.same(faults({ method: 'HEAD', text: '' }), []);
  t.same(faults({ path: '/nothing-declared' }), []);
  t.same(faults({ status: 204 }), ['GET /livez: the answer 204 is not declared']);
  t.same(faults({ text: '{' }), [`${where} is not valid JSON`]);
  t.same(faults({ headers: { ...headers, 'content-type': 'text/plain' } }), [
    `${where} is text/plain, which is not declared`,
  ]);
  t.same(faults({ headers: { ...headers, etag: '"x"' } }), [
    `${where} has the header etag, which is not declared`,
  ]);
  t.same(faults({ headers: { ...headers, 'ratelimit-limit': 'many' } }), [
    `${where} has the header ratelimit-limit, which is not a number`,
  ]);
  const problem = { type: '/problems/x', title: 'x', status: 503, detail: 'x', instance: 'x' };
  const refused = {
    path: '/v1/me',
    status: 503,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  };
  t.same(faults({ ...refused, text: JSON.stringify({ ...problem, code: 'email_taken' }) }), [
    'GET /v1/me: the answer 503 lacks the header retry-after',
    'GET /v1/me: the answer 503 has the code email_taken, which is not declared',
  ]);
});
