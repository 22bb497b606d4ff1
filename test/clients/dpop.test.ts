import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { createClient } from '../../src/clients/client.js';
import { dpopFetch } from '../../src/clients/client-dpop.js';
import { freePort } from '../free-port.ts';
import { passwordHash, signedIn } from '../people.ts';
import { PASSWORD, TestClock, testApp } from '../test-app.ts';
import { indexedDb } from './indexed-db.ts';
import { storageIn } from './storage.ts';

const credentials = { email: 'ada@example.com', password: PASSWORD };

/** A service at the real time, and what it was sent. */
async function service(t: Test, env: Record<string, string> = {}) {
  const clock = new TestClock();
  clock.now = Date.now();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const node = await testApp(t, { env: { ISSUER: url, ...env }, clock });
  await node.app.listen({ host: 'localhost', port });
  await signedIn(node, 'ada@example.com', { password_hash: passwordHash(node) });
  const kept = new Map<string, string>();
  const storage = storageIn(kept);
  const open = (fetch?: typeof globalThis.fetch) => {
    const client = createClient({ url, transport: 'body', storage, ...(fetch && { fetch }) });
    t.teardown(() => client.close());
    return client;
  };
  const bound = (options: object = {}) => open(dpopFetch({ url, ...options }));
  return { node, url, open, bound, kept, clock };
}

const status = async (answer: Promise<Response>) => (await answer).status;

for (const DPOP_NONCE of ['off', 'on'])
  t.test(
    `a session is bound to the key of the browser, with DPOP_NONCE=${DPOP_NONCE}`,
    async (t) => {
      indexedDb(t);
      const { url, bound, open, node } = await service(t, { DPOP_NONCE });
      const client = bound();
      await client.login(credentials);
      const token = String(await client.token());
      t.ok(node.context.accessTokens.read(token).cnf);
      t.equal(await status(client.fetch(`${url}/v1/me?x=y`)), 200);
      const request = new Request(`${url}/v1/me`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Ada' }),
      });
      t.equal(await status(client.fetch(request)), 200, 'a Request with a body');

      t.comment('what a thief of the tokens can do with them');
      const authorization = `Bearer ${token}`;
      t.equal(await status(fetch(`${url}/v1/me`, { headers: { authorization } })), 401);
      const thief = open();
      t.equal(await thief.token(), undefined, 'a refresh without the key');
      t.equal(thief.signedIn, false);
    },
  );

t.test('a page that is loaded again, and another tab, have the same key', async (t) => {
  const opened = indexedDb(t);
  const { bound, node } = await service(t);
  await Promise.all([bound().login(credentials), bound().login(credentials)]);
  const again = bound();
  t.ok(await again.token());
  const { sessions = [] } = (await node.context.users.findByEmail('ada@example.com')) ?? {};
  t.equal(new Set(sessions.flatMap(({ jkt }) => jkt ?? [])).size, 1);
  t.equal(opened.get('latchkey.dpop')?.get('keys')?.privateKey.extractable, false);
});

t.test('with another key than that of its session, a page has to sign in again', async (t) => {
  const opened = indexedDb(t);
  const { bound } = await service(t);
  const client = bound();
  await client.login(credentials);
  opened.clear();
  const again = bound();
  const reasons: string[] = [];
  again.onChange(({ reason }) => reasons.push(reason));
  t.equal(await again.token(), undefined);
  t.same([again.signedIn, reasons], [false, ['invalid_dpop_proof']]);
  await again.login(credentials);
  t.equal(again.signedIn, true);
});

/** Every call of `fetch`: its path, and what it had of a proof. `instead` may send it otherwise. */
function calls(
  t: Test,
  instead: (path: string, send: () => Promise<Response>) => Promise<Response> = (_path, send) =>
    send(),
) {
  const real = globalThis.fetch;
  const seen: string[] = [];
  t.intercept(globalThis, 'fetch', {
    configurable: true,
    value: (input: string | Request, init?: RequestInit) => {
      const { pathname } = new URL(typeof input === 'string' ? input : input.url);
      const has = new Headers(init?.headers).has('DPoP') ? 'with a proof' : 'without';
      seen.push(`${pathname} ${has}`);
      // The body of a Request can be sent once.
      return instead(pathname, () => real(typeof input === 'string' ? input : input.clone(), init));
    },
  });
  return { seen, since: () => seen.splice(0) };
}

const PROVEN = '/v1/refresh with a proof';
const BARE = '/v1/refresh without';

t.test('a session that another page began without a key goes on without one', async (t) => {
  indexedDb(t);
  const { url, bound, open } = await service(t);
  // As a sign-in by redirect, or on the page of the service, does.
  await open().login(credentials);
  const { since } = calls(t);
  const client = bound();
  const ended: string[] = [];
  client.onChange(({ signedIn, reason }) => signedIn || ended.push(reason));
  t.ok(await client.token());
  t.same(since(), [PROVEN, PROVEN, BARE]);
  t.equal(await status(client.fetch(`${url}/v1/me`)), 200);
  since();
  const headers = { authorization: 'Bearer x.e30.x' };
  t.equal(await status(client.fetch(`${url}/v1/me`, { headers })), 401, 'its own header');
  t.same([client.signedIn, ended], [true, []]);
});

t.test('which of the two a session is, a page need not ask twice', async (t) => {
  indexedDb(t);
  const { url, open, kept, node } = await service(t);
  await open().login(credentials);
  const call = dpopFetch({ url });
  const send = async (path: string, body: object) => {
    const answer = await call(`${url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as { refresh_token: string }) };
  };
  const { since } = calls(t);
  const first = await send('refresh', { refresh_token: kept.get('latchkey.refresh') });
  t.same(since(), [PROVEN, PROVEN, BARE]);
  t.match(await send('refresh', first), { status: 422 }, 'no other answer is asked for again');
  t.same(since(), [BARE]);
  const second = await send('refresh', { refresh_token: first.refresh_token });
  t.match([second, since()], [{ status: 200, token_type: 'Bearer' }, [BARE]]);

  t.comment('after a sign-in with the key');
  const signIn = await send('login', credentials);
  t.match([signIn, since()], [{ status: 200, token_type: 'DPoP' }, ['/v1/login with a proof']]);
  const third = await send('refresh', { refresh_token: signIn.refresh_token });
  t.match([third, since()], [{ status: 200, token_type: 'DPoP' }, [BARE, PROVEN]]);
  const fourth = await send('refresh', { refresh_token: third.refresh_token });
  t.match([fourth, since()], [{ status: 200, token_type: 'DPoP' }, [PROVEN]]);
  const { sessions = [] } = (await node.context.users.findByEmail(credentials.email)) ?? {};
  t.equal(sessions.filter(({ jkt }) => jkt).length, 1);
});

t.test(
  'only a refresh is sent without a proof, and nothing that was read is sent again',
  async (t) => {
    indexedDb(t);
    const refusal = {
      status: 401,
      headers: { 'WWW-Authenticate': 'DPoP error="invalid_dpop_proof"' },
    };
    const { since } = calls(t, async () => new Response('', refusal));
    const url = 'https://id.example.com';
    const call = dpopFetch({ url });
    for (const path of ['/v1/login', '/v1/refresh/x', '/v1/register']) {
      t.equal(await status(call(`${url}${path}`, { method: 'POST' })), 401);
      t.same(since(), [`${path} with a proof`, `${path} with a proof`]);
    }
    t.equal(await status(call(`${url}/v1/refresh`, { method: 'POST' })), 401);
    t.same(since(), [PROVEN, PROVEN, BARE]);
    const body = new ReadableStream();
    t.equal(await status(call(`${url}/v1/refresh`, { method: 'POST', body })), 401);
    t.equal(since().length, 1, 'a stream');
  },
);

for (const DPOP_NONCE of ['off', 'on'])
  t.test(
    `a proof that was sent twice signs nobody out, with DPOP_NONCE=${DPOP_NONCE}`,
    async (t) => {
      indexedDb(t);
      const { url, bound } = await service(t, { DPOP_NONCE });
      await bound().login(credentials);
      let breaks = 1;
      // The connection breaks after the service has answered, and the browser sends the same request again.
      const { since } = calls(t, async (_path, send) => {
        const answer = await send();
        if (!answer.ok || breaks === 0) return answer;
        breaks -= 1;
        const repeated = await send();
        t.match(repeated.headers.get('WWW-Authenticate'), /invalid_dpop_proof/);
        return repeated;
      });
      const client = bound();
      const ended: string[] = [];
      client.onChange(({ signedIn, reason }) => signedIn || ended.push(reason));
      t.ok(await client.token());
      t.equal(breaks, 0);
      t.same(new Set(since()), new Set([PROVEN]));
      breaks = 1;
      t.equal(await status(client.fetch(`${url}/v1/me`)), 200);
      t.same(new Set(since()), new Set(['/v1/me with a proof']), 'without a refresh');
      t.same([client.signedIn, ended], [true, []]);
    },
  );

t.test('bind: refresh leaves the access tokens to be bearer tokens', async (t) => {
  indexedDb(t);
  const { url, bound, node, kept } = await service(t);
  const client = bound({ bind: 'refresh', name: 'other' });
  await client.login(credentials);
  const token = String(await client.token());
  t.equal(node.context.accessTokens.read(token).cnf, undefined);
  t.equal(await status(client.fetch(`${url}/v1/me`)), 200);
  const answer = await node.refresh(String(kept.get('latchkey.refresh')));
  t.equal(answer.json().code, 'invalid_dpop_proof');
});

t.test('other addresses and other tokens get no proof', async (t) => {
  indexedDb(t);
  const { url } = await service(t);
  const sent: Headers[] = [];
  t.intercept(globalThis, 'fetch', {
    configurable: true,
    value: async (_input: string, init?: RequestInit) => {
      sent.push(new Headers(init?.headers));
      return new Response();
    },
  });
  const call = dpopFetch({ url });
  await call('https://elsewhere.example/');
  for (const token of ['opaque', 'a.!.c', 'a.e30.c'])
    await call(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  for (const headers of sent) t.notOk(headers.has('DPoP'));
  await call(`${url}/v1/login`, { method: 'post' });
  t.ok(sent.at(-1)?.has('DPoP'));
  const cnf = Buffer.from('{"cnf":{}}').toString('base64url');
  await call('https://api.example.com/x', { headers: { authorization: `Bearer a.${cnf}.c` } });
  t.match(sent.at(-1)?.get('Authorization'), /^DPoP a/, 'a bound token, wherever it is sent');
});

t.test('a page may name the service, and what it asks for, by its path', async (t) => {
  indexedDb(t);
  t.intercept(globalThis, 'location' as never, {
    configurable: true,
    value: { href: 'https://id.example.com/login?next=/' },
  });
  const sent: unknown[] = [];
  t.intercept(globalThis, 'fetch', {
    configurable: true,
    value: async (input: string | Request, init?: RequestInit) => {
      const dpop = new Headers(init?.headers).get('DPoP');
      const { htu, htm } = decodeJwt(String(dpop));
      sent.push([typeof input, htm, htu]);
      return new Response();
    },
  });
  const call = dpopFetch({ url: '/' });
  await call('/v1/refresh?x=y', { method: 'POST' });
  await call(new Request('https://id.example.com/v1/me', { method: 'DELETE' }));
  t.same(sent, [
    ['string', 'POST', 'https://id.example.com/v1/refresh'],
    ['object', 'DELETE', 'https://id.example.com/v1/me'],
  ]);
});

t.test('a browser that stores nothing says so', async (t) => {
  indexedDb(t, new Error('blocked'));
  const { bound } = await service(t);
  await t.rejects(bound().login(credentials), { message: 'blocked' });
});
