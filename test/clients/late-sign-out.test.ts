import t, { type Test } from 'tap';
import type { ClientStorage } from '../../src/clients/client.d.ts';
import { createClient } from '../../src/clients/client.js';
import { front, type Interference } from '../front.ts';
import { PASSWORD, type Tokens, testApp } from '../test-app.ts';

const ada = { email: 'ada@example.com', password: PASSWORD };
const bob = { email: 'bob@example.com', password: PASSWORD };
const COOKIE = '__Secure-latchkey_refresh';

let names = 0;

/** A browser whose requests can be lost, and its cookie. */
async function browser(t: Test) {
  const network = await front(t);
  const node = await testApp(t, { env: { APP_URL: network.origin } });
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  await node.signUp(ada.email);
  await node.signUp(bob.email);
  names += 1;
  const name = `page${names}`;
  const jar = new Map<string, string>();
  const items = new Map<string, string>();
  const storage: ClientStorage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
  const send: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Origin', network.origin);
    const cookie = jar.get(COOKIE);
    if (cookie) headers.set('Cookie', `${COOKIE}=${cookie}`);
    const answer = await fetch(input, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(key, value);
    }
    return answer;
  };
  /** A page with the module, as after a load. */
  const load = (transport: 'cookie' | 'body' = 'cookie') => {
    const client = createClient({ url: network.origin, name, storage, transport, fetch: send });
    t.teardown(() => client.close());
    return client;
  };
  /** As a page without the module does, or the way back from a provider. */
  const signInElsewhere = async (who: typeof ada) => {
    const answer = await send(`${network.origin}/v1/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...who, transport: 'cookie' }),
    });
    t.equal(answer.status, 200);
    return ((await answer.json()) as Tokens).session_id;
  };
  /** Whose token it is, and of which session. */
  const holder = async (token: string | undefined) => {
    if (token === undefined) return undefined;
    const { sub, sid } = node.context.accessTokens.read(token);
    return { email: (await node.context.users.findById(sub))?.email, sid };
  };
  const isLive = async (sid: string | undefined) => {
    const all = await Promise.all(
      [ada, bob].map(({ email }) => node.context.users.findByEmail(email)),
    );
    const session = all.flatMap((user) => user?.sessions ?? []).find(({ id }) => id === sid);
    return session !== undefined && session.ended_at === undefined;
  };
  const isPending = () => items.has(`${name}.ended`);
  const losing = (...urls: string[]) => {
    network.there = async ({ url = '' }): Promise<Interference | undefined> =>
      urls.some((each) => url.startsWith(each)) ? 'lost' : undefined;
  };
  return { network, node, load, signInElsewhere, holder, isLive, isPending, losing };
}

/** A page that was signed in, and whose sign-out was lost. */
async function leftPage(t: Test, transport: 'cookie' | 'body' = 'cookie') {
  const it = await browser(t);
  const client = it.load(transport);
  await client.login(ada);
  const old = (await it.holder(await client.token()))?.sid;
  t.ok(await it.isLive(old));
  it.losing('/v1/logout');
  await t.rejects(client.logout(), TypeError);
  it.losing();
  t.equal(await it.isLive(old), true);
  return { ...it, client, old };
}

t.test('a sign-out that was lost ends its own session, and never one from elsewhere', async (t) => {
  const { client, load, signInElsewhere, holder, isLive, isPending, old } = await leftPage(t);
  client.close();
  const fresh = await signInElsewhere(ada);
  const page = load();
  t.same(await holder(await page.token()), { email: ada.email, sid: fresh });
  t.equal(await isLive(fresh), true);
  t.equal(await isLive(old), false, 'the sign-out is not lost');
  t.equal(isPending(), false);
});

t.test('nor that of another user', async (t) => {
  const { client, load, signInElsewhere, holder, isLive, isPending } = await leftPage(t);
  client.close();
  const fresh = await signInElsewhere(bob);
  t.same(await holder(await load().token()), { email: bob.email, sid: fresh });
  t.equal(await isLive(fresh), true);
  t.equal(isPending(), false, 'nobody here has a token of the old session any more');
});

t.test('a page that stays open hears of the sign-in elsewhere when it wakes', async (t) => {
  const { client, signInElsewhere, holder, isLive, old } = await leftPage(t);
  const fresh = await signInElsewhere(ada);
  const signedIn = new Promise((resolve) => client.onChange(resolve));
  client.wake();
  t.same(await signedIn, { signedIn: true, reason: 'refresh' });
  t.same(await holder(await client.token()), { email: ada.email, sid: fresh });
  t.equal(await isLive(old), false);
});

t.test('a sign-out that is lost again waits, and keeps no newer session out', async (t) => {
  const { client, load, signInElsewhere, holder, isLive, isPending, losing, old, node } =
    await leftPage(t);
  client.close();
  losing('/v1/me/sessions/');
  const alone = load();
  const failing = alone.token();
  alone.close();
  await t.rejects(failing, TypeError, 'who signed out is not let in');
  t.notOk(alone.signedIn);
  t.equal(isPending(), true);

  const fresh = await signInElsewhere(ada);
  const page = load();
  t.same(await holder(await page.token()), { email: ada.email, sid: fresh });
  t.equal(isPending(), true);
  losing();
  node.clock.advance(901_000);
  t.equal((await page.fetch(`${new URL(page.core.base).origin}/v1/whoami`)).status, 200);
  t.equal(isPending(), false);
  t.same([await isLive(old), await isLive(fresh)], [false, true]);
});

for (const transport of ['cookie', 'body'] as const)
  t.test(`a sign-in by the module sends it first (${transport})`, async (t) => {
    const { client, network, load, holder, isLive, isPending, old } = await leftPage(t, transport);
    client.close();
    const page = load(transport);
    const sent = network.requests.length;
    await page.login(bob);
    t.same(network.requests.slice(sent), [
      'POST /v1/refresh',
      `DELETE /v1/me/sessions/${old}`,
      'POST /v1/login',
    ]);
    t.equal((await holder(await page.token()))?.email, bob.email);
    t.equal(await isLive(old), false, 'the session of another user too');
    t.equal(isPending(), false);
  });

t.test('a sign-in goes on if that fails', async (t) => {
  const { client, network, load, holder } = await leftPage(t);
  client.close();
  network.there = async ({ url }) => (url === '/v1/refresh' ? { status: 429 } : undefined);
  const page = load();
  await page.login(ada);
  t.equal((await holder(await page.token()))?.email, ada.email);
});

t.test('a session that had ended before is over', async (t) => {
  const { client, load, isPending, node, old } = await leftPage(t);
  client.close();
  const { access_token } = (await node.login(ada.email)).json();
  await node.as(access_token, { method: 'DELETE', url: `/v1/me/sessions/${old}` });
  const page = load();
  t.equal(await page.token(), undefined);
  t.equal(isPending(), false);
});

t.test(
  'a sign-out before the first answer is sent later for the session that is found',
  async (t) => {
    const { load, signInElsewhere, isLive, isPending, losing } = await browser(t);
    const found = await signInElsewhere(ada);
    losing('/v1/logout');
    const early = load();
    await t.rejects(early.logout(), TypeError);
    t.equal(isPending(), true);
    early.close();
    losing();
    t.equal(await load().token(), undefined);
    t.equal(await isLive(found), false);
  },
);

t.test('a sign-out of nobody leaves nothing to send later', async (t) => {
  const { load, signInElsewhere, holder, isPending, losing } = await browser(t);
  const page = load();
  t.equal(await page.token(), undefined);
  losing('/v1/logout');
  await t.rejects(page.logout(), TypeError);
  t.equal(isPending(), false);
  losing();
  const fresh = await signInElsewhere(ada);
  t.equal((await holder(await load().token()))?.sid, fresh);
});

t.test('a second click, also after a reload, does not change which session is meant', async (t) => {
  const { client, load, signInElsewhere, holder, isLive, losing, old } = await leftPage(t);
  losing('/v1/logout');
  await t.rejects(client.logout(), TypeError);
  client.close();
  const again = load();
  await t.rejects(again.logout(), TypeError);
  again.close();
  losing();
  const fresh = await signInElsewhere(ada);
  t.equal((await holder(await load().token()))?.sid, fresh);
  t.equal(await isLive(old), false);
});
