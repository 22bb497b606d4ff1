import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { Change, ClientStorage, Options } from '../../src/clients/client.d.ts';
import { createClient, LatchkeyError } from '../../src/clients/client.js';
import { withFactor } from '../authenticator.ts';
import { front, type Interference } from '../front.ts';
import { mailbox } from '../mailbox.ts';
import { PASSWORD, type TestApp, testApp } from '../test-app.ts';

const ada = { email: 'ada@example.com', password: PASSWORD };
/** Longer than an access token lives, and longer than the grace (ms). */
const EXPIRED = 901_000;

/** Answers late, as the storage of a phone does. */
const phoneStorage = () => {
  const items = new Map<string, string>();
  const storage: ClientStorage = {
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => items.set(key, value),
    removeItem: async (key) => items.delete(key),
  };
  return { items, storage };
};

let names = 0;

/** A phone with the application, before the service and a network that can fail. */
async function phone(t: Test, env: Record<string, string> = {}) {
  const network = await front(t);
  const node = await testApp(t, { env });
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  const { items, storage } = phoneStorage();
  names += 1;
  const name = `phone${names}`;
  const changes: string[] = [];
  /** The application, started again on what the storage has. */
  const started = (options: Partial<Options> = {}) => {
    const client = createClient({
      url: network.origin,
      transport: 'body',
      storage,
      name,
      ...options,
    });
    client.onChange(({ signedIn, reason }: Change) => changes.push(`${reason} ${signedIn}`));
    t.teardown(() => client.close());
    return client;
  };
  const client = started();
  const whoami = async (of = client) => (await of.fetch(`${network.origin}/v1/whoami`)).status;
  const refreshes = () => network.requests.filter((line) => line === 'POST /v1/refresh').length;
  return { network, node, items, name, changes, started, client, whoami, refreshes };
}

/** Moves the clock of the device and that of the service. */
function pass(t: Test, node: TestApp, milliseconds: number) {
  const now = Date.now() + milliseconds;
  t.intercept(Date, 'now', { value: () => now, configurable: true });
  node.clock.advance(milliseconds);
}

/** At most five seconds. */
async function eventually(is: () => boolean | Promise<boolean>) {
  for (let look = 0; look < 500 && !(await is()); look += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

const onRefresh =
  (what: () => Interference | undefined) =>
  async ({ url }: { url?: string | undefined }) =>
    url === '/v1/refresh' ? what() : undefined;

t.test('an app signs up, calls, changes its password, signs out and in again', async (t) => {
  const { node, client, changes, items, name, whoami } = await phone(t);
  t.equal(client.signedIn, undefined);
  t.equal(await client.token(), undefined);
  t.equal(client.signedIn, false);
  t.equal(await client.register({ ...ada, name: 'Ada' }), true);
  t.equal(await whoami(), 200);
  t.same([...items.keys()], [`${name}.refresh`, `${name}.device`], 'no access token is kept');
  const before = await client.token();
  const password = 'a lantern in the rainy harbour';
  await client.changePassword({ current_password: PASSWORD, new_password: password });
  t.not(await client.token(), before);
  t.equal(await whoami(), 200);
  await client.logout();
  t.ok(node.events().includes('session.ended'));
  t.same([...items.keys()], [`${name}.device`], 'the device is known still');
  t.equal(await whoami(), 401);
  await t.rejects(client.login(ada), { code: 'invalid_credentials', status: 401 });
  t.equal(await client.login({ ...ada, password }), undefined);
  t.equal(await whoami(), 200);
  t.same(changes, ['refresh_missing false', 'sign_in true', 'sign_out false', 'sign_in true']);
});

t.test('a sign-in with a second factor asks for a code', async (t) => {
  const { node, client, changes } = await phone(t);
  const { code } = await withFactor(t, node, ada.email);
  const challenge = await client.login(ada);
  t.match(challenge, { methods: ['totp', 'recovery_code'], expires_in: 300 });
  t.notOk(client.signedIn);
  if (challenge) {
    await t.rejects(client.answerChallenge(challenge, { code: '000000' }), {
      code: 'invalid_code',
    });
    await client.answerChallenge(challenge, { code: code() });
  }
  t.same(changes, ['sign_in true']);
});

t.test('a sign-up by mail ends with the token of the link', async (t) => {
  const box = await mailbox(t);
  const { client, changes } = await phone(t, { SIGN_UP: 'verified', MAIL_URL: box.url });
  t.equal(await client.register({ email: ada.email }), false);
  const token = await box.token(ada.email);
  await client.completeSignUp({ token, password: PASSWORD });
  t.same(changes, ['sign_in true']);
});

t.test('an app that is killed during its refresh is signed in when it starts again', async (t) => {
  const { node, network, client, started, whoami, items, name, refreshes } = await phone(t);
  await client.register(ada);
  client.close();
  const killed = started();
  network.back = onRefresh(() => 'lost');
  const lost = killed.token();
  killed.close();
  await t.rejects(lost, TypeError);
  t.ok(items.has(`${name}.attempt`));
  network.back = async () => undefined;
  node.clock.advance(86_400_000);
  const again = started();
  t.equal(await whoami(again), 200, 'a day later, by the key of its attempt');
  t.notOk(items.has(`${name}.attempt`));
  t.equal(refreshes(), 2);
  t.notOk(node.events().includes('session.reuse_detected'));
});

const faults: Record<string, Interference> = {
  'a lost connection': 'lost',
  'a 503 of the service': {
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '1' },
    body: '{"code":"unavailable","title":"Unavailable","status":503}',
  },
  'a 429': {
    status: 429,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '3600' },
    body: '{"code":"rate_limited","detail":"Wait.","status":429}',
  },
  'a 502 of a proxy': { status: 502, body: '<h1>Bad gateway</h1>' },
  'a 401 of a proxy': { status: 401, body: 'Sign in to the network' },
  'the page of a captive portal': { status: 200, body: '<h1>Welcome</h1>' },
  'the empty page of a captive portal': { status: 200 },
  'a refusal of the origin': {
    status: 403,
    headers: { 'content-type': 'application/problem+json' },
    body: '{"code":"origin_forbidden","status":403}',
  },
};
for (const [fault, answer] of Object.entries(faults))
  t.test(`${fault} signs nobody out`, async (t) => {
    const { node, network, client, whoami, changes } = await phone(t);
    await client.register(ada);
    pass(t, node, EXPIRED);
    network.there = onRefresh(() => {
      // The phone wakes, so that the tries follow each other without a wait.
      setTimeout(() => client.wake(), 20);
      return answer;
    });
    await t.rejects(client.token(), Error);
    t.equal(client.signedIn, true);
    network.there = async () => undefined;
    t.equal(await whoami(), 200);
    t.same(changes, ['sign_in true']);
  });

t.test('a Retry-After is kept: nothing is sent before, except what needs a token', async (t) => {
  const { node, network, client, refreshes } = await phone(t);
  await client.register(ada);
  pass(t, node, 800_000);
  network.there = onRefresh(() => ({ status: 429, headers: { 'retry-after': '60' } }));
  t.ok(await client.token(), 'the old one is valid still');
  await eventually(() => refreshes() === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.ok(await client.token());
  client.wake();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(refreshes(), 1);
  network.there = async () => undefined;
  pass(t, node, 61_000);
  client.wake();
  await eventually(() => refreshes() === 2);
  t.equal(client.signedIn, true);
});

t.test('an app that starts offline is signed in when it wakes online', async (t) => {
  const { network, client, started, refreshes } = await phone(t);
  await client.register(ada);
  client.close();
  const again = started();
  again.wake();
  await new Promise(setImmediate);
  t.equal(refreshes(), 0, 'nobody has asked yet');
  network.there = onRefresh(() => ({ status: 429, headers: { 'retry-after': '31' } }));
  await t.rejects(again.token(), { status: 429, retryAfter: 31, message: 'status 429' });
  t.equal(again.signedIn, undefined);
  network.there = async () => undefined;
  const now = Date.now() + 32_000;
  t.intercept(Date, 'now', { value: () => now, configurable: true });
  const online = new Promise<Change>((resolve) => again.onChange(resolve));
  again.wake();
  t.same(await online, { signedIn: true, reason: 'refresh' });
});

const BILLING = 'https://billing.example.com';

t.test('a token for another service takes its turn, and the session goes on', async (t) => {
  const { network, node, client, changes, whoami, refreshes, started, items, name } = await phone(
    t,
    { AUDIENCES: BILLING },
  );
  t.equal(await client.tokenFor(BILLING), undefined, 'nobody is signed in');
  t.equal(refreshes(), 0);
  await client.register(ada);
  const own = await client.token();
  const audienceOf = (token = '') => JSON.parse(atob(String(token.split('.')[1]))).aud;

  pass(t, node, EXPIRED);
  // The refresh that is due, and two for the other service.
  const [answer, again] = await Promise.all([client.tokenFor(BILLING), client.tokenFor(BILLING)]);
  t.equal(audienceOf(answer?.access_token), BILLING);
  t.equal(audienceOf(again?.access_token), BILLING);
  t.equal(answer?.expires_in, 900);
  t.equal(refreshes(), 3);
  const token = await client.token();
  t.not(token, own);
  t.equal(audienceOf(token), audienceOf(own), 'its own is kept');
  t.equal(await whoami(), 200);

  t.comment('an answer that is lost on its way');
  network.back = async ({ url }) => (url === '/v1/refresh' ? 'lost' : undefined);
  await t.rejects(client.tokenFor(BILLING));
  network.back = async () => undefined;
  t.ok(items.get(`${name}.attempt`));
  pass(t, node, EXPIRED);
  t.equal(await whoami(started()), 200, 'the refresh after it gets the same tokens');

  t.comment('a service that is not listed');
  await t.rejects(started().tokenFor('https://other.example.com'), { code: 'invalid_target' });
  t.equal(client.signedIn, true);
  t.equal(await whoami(), 200);
  t.same(new Set(changes), new Set(['refresh_missing false', 'sign_in true', 'refresh true']));
});

t.test('a session that the service has ended signs out, and says with which code', async (t) => {
  const { node, client, changes, items, name, whoami } = await phone(t);
  await client.register(ada);
  const stolen = items.get(`${name}.refresh`) ?? '';
  const first = await node.refresh(stolen);
  await node.refresh(first.json().refresh_token);
  pass(t, node, EXPIRED);
  t.equal(await whoami(), 401);
  t.same(changes, ['sign_in true', 'refresh_reused false']);
  t.same([...items.keys()], [`${name}.device`]);
  await client.login(ada);
  const other = await node.login();
  const { access_token } = other.json();
  await node.as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  t.equal(await whoami(), 401);
  t.same(changes.slice(2), ['sign_in true', 'refresh_invalid false']);
});

t.test('the access token goes to the service and to named origins, and nowhere else', async (t) => {
  const { client, network, node } = await phone(t);
  const heard: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.statusCode = heard.length === 1 ? 401 : 200;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const elsewhere = `http://localhost:${port}`;
  await client.register(ada);
  for (const address of [elsewhere, `${elsewhere}/?${network.origin}`, new URL(elsewhere)])
    await client.fetch(address);
  await client.fetch(new Request(elsewhere, { method: 'POST', body: 'x' }));
  t.same(heard, [undefined, undefined, undefined, undefined]);

  heard.splice(0);
  const { storage } = phoneStorage();
  const naming = createClient({
    url: `${network.origin}/`,
    transport: 'body',
    storage,
    origins: [elsewhere, 'app://latchkey'],
    name: 'naming',
  });
  t.teardown(() => naming.close());
  await naming.login(ada);
  const request = new Request(elsewhere, { method: 'POST', body: 'x', headers: { 'x-a': 'b' } });
  t.equal((await naming.fetch(request)).status, 200, 'a request with a body is repeated');
  t.match(heard, [/^Bearer /, /^Bearer /]);
  t.not(heard[0], heard[1]);
  t.equal(await naming.token(), heard[1]?.slice(7));
  await naming.fetch(elsewhere, { headers: { authorization: 'Basic eDp5' } });
  t.equal(heard[2], 'Basic eDp5', 'what the app sets itself stays');

  heard.splice(0);
  const body = new Blob(['x']).stream();
  const streamed = { method: 'POST', body, duplex: 'half' } as RequestInit;
  t.equal((await naming.fetch(elsewhere, streamed)).status, 401, 'a stream cannot be sent again');
  t.equal(heard.length, 1);
  const stepUp = { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' };
  network.there = async ({ url }) =>
    url === '/v1/me' ? { status: 401, headers: stepUp } : undefined;
  const asked = network.requests.length;
  t.equal((await naming.fetch(`${network.origin}/v1/me`)).status, 401, 'a refresh would not help');
  t.equal(network.requests.length - asked, 1);
  t.notOk(node.events().includes('session.reuse_detected'));
});

t.test('a request that needs a recent proof asks for it, and is repeated once', async (t) => {
  const { node, client, started, network } = await phone(t);
  await client.register(ada);
  const before = node.context.accessTokens.read((await client.token()) as string);
  await node.context.users.change(before.sub, (user) => ({
    user: { ...user, roles: ['admin'] },
    result: true,
  }));
  node.clock.advance(EXPIRED);
  const asked: string[] = [];
  const admin = started({
    onStepUp: async () => {
      asked.push('password');
      if (asked.length === 1) throw new Error('the user gave up');
      await admin.verify({ password: PASSWORD });
    },
  });
  t.teardown(() => admin.close());
  const create = (from = admin) =>
    from.fetch(`${network.origin}/v1/service-accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'nightly' }),
    });
  await t.rejects(create(), { message: 'the user gave up' });
  t.equal((await create()).status, 201);
  t.equal(asked.length, 2);
  t.equal((await create()).status, 201, 'the proof lasts for 15 minutes');
  t.equal(asked.length, 2);
  const after = node.context.accessTokens.read((await admin.token()) as string);
  t.match(after, { sid: before.sid, auth_time: node.clock.now / 1_000 });
  await t.rejects(admin.verify({ password: 'wrong' }), { code: 'wrong_password' });
  await admin.logout();
  await t.rejects(admin.verify({ password: PASSWORD }), { code: 'token_missing' });
});

t.test('a proof that is answered after another user has signed in is dropped', async (t) => {
  const { node, client, started, network, changes } = await phone(t);
  await client.register(ada);
  const window = started();
  await window.token();
  const bob = { email: 'bob@example.com', password: PASSWORD };
  await node.signUp(bob.email);
  let hasAsked = false;
  network.there = async ({ url }) => {
    if (url !== '/v1/me/verify' || hasAsked) return undefined;
    hasAsked = true;
    await window.login(bob);
    await eventually(() => changes.filter((line) => line === 'sign_in true').length === 3);
    return undefined;
  };
  await client.verify({ password: PASSWORD });
  t.ok(hasAsked);
  const tokens = [await client.token(), await window.token()];
  const owners = tokens.map((each) => node.context.accessTokens.read(each as string).sub);
  const { id } = (await node.context.users.findByEmail(bob.email)) ?? {};
  t.same(owners, [id, id], 'no window has the token of the old user');
});

t.test('two windows with one storage refresh once, and hear each other', async (t) => {
  const { node, client, started, whoami, refreshes, network } = await phone(t);
  await client.register(ada);
  const other = started();
  t.equal(await whoami(other), 200);
  const before = refreshes();
  node.clock.advance(EXPIRED);
  t.same(await Promise.all([whoami(), whoami(other)]), [200, 200]);
  t.equal(refreshes() - before, 1);
  const heard = new Promise<Change>((resolve) => other.onChange(resolve));
  await client.logout();
  t.same(await heard, { signedIn: false, reason: 'sign_out' });
  t.equal(await whoami(other), 401);

  const signedIn = new Promise<Change>((resolve) => other.onChange(resolve));
  await client.login(ada);
  t.same(await signedIn, { signedIn: true, reason: 'sign_in' });
  network.there = async ({ url }) => (url === '/v1/logout' ? 'lost' : undefined);
  await t.rejects(client.logout(), TypeError);
  network.there = async () => undefined;
  const third = started();
  t.equal(await third.token(), undefined, 'the next start finishes the sign-out');
  t.match(network.requests.at(-1), /^DELETE \/v1\/me\/sessions\/[\w-]{22}$/);
});

t.test('an answer that comes after a sign-out or a new sign-in is dropped', async (t) => {
  const { node, client, network, changes, whoami, refreshes } = await phone(t);
  for (const locks of [true, false]) {
    if (!locks) t.intercept(globalThis, 'navigator', { value: {}, configurable: true });
    await client.login(ada).catch(() => client.register(ada));
    const late = Promise.withResolvers<undefined>();
    const before = refreshes();
    network.back = async ({ url }) => (url === '/v1/refresh' ? late.promise : undefined);
    pass(t, node, EXPIRED);
    const call = client.token();
    await eventually(() => refreshes() > before);
    const leaving = client.logout();
    late.resolve(undefined);
    t.equal(await call, undefined);
    await leaving;
    t.equal(await whoami(), 401);
    t.equal(changes.at(-1), 'sign_out false');
    network.back = async () => undefined;
  }
});

t.test('a page without a storage, locks and a channel works by itself', async (t) => {
  const { network, node } = await phone(t);
  await node.signUp();
  t.intercept(globalThis, 'navigator', { value: {}, configurable: true });
  t.intercept(globalThis, 'BroadcastChannel', { value: undefined, configurable: true });
  const blocked = () => {
    throw new Error('blocked');
  };
  for (const descriptor of [{ value: undefined }, { get: blocked }]) {
    t.intercept(globalThis, 'localStorage', { ...descriptor, configurable: true });
    const client = createClient({ url: network.origin });
    t.teardown(() => client.close());
    await client.login(ada);
    t.ok(await client.token());
    // Node has no cookies, so the service finds no refresh token.
    client.close();
    node.clock.advance(EXPIRED);
    t.equal((await client.fetch(`${network.origin}/v1/whoami`)).status, 401);
    t.equal(client.signedIn, false);
    await client.logout();
  }
  t.throws(() => createClient({ url: network.origin, transport: 'body' }), TypeError);
});

t.test(
  'a page refreshes when it is seen or online again, and one from the cache of the browser at once',
  async (t) => {
    const events = new EventTarget();
    for (const method of ['addEventListener', 'removeEventListener'] as const)
      t.intercept(globalThis as never, method as never, {
        value: events[method].bind(events),
        configurable: true,
      });
    const { node, client, refreshes } = await phone(t);
    /** Looks at the requests first: to ask for the token would refresh it, too. */
    const refreshed = async (event: Event, { after = 0 } = {}) => {
      const [before, token] = [refreshes(), await client.token()];
      pass(t, node, after);
      events.dispatchEvent(event);
      await eventually(() => refreshes() > before);
      t.equal(refreshes(), before + 1, event.type);
      await eventually(async () => (await client.token()) !== token);
    };
    const due = 800_000;
    await client.register(ada);
    events.dispatchEvent(new Event('pageshow'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(refreshes(), 0, 'not due');
    await refreshed(Object.assign(new Event('pageshow'), { persisted: true }));
    const occasions = ['visibilitychange', 'pageshow', 'online'];
    for (const occasion of occasions) await refreshed(new Event(occasion), { after: due });
    client.close();
    pass(t, node, due);
    for (const occasion of occasions) events.dispatchEvent(new Event(occasion));
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(refreshes(), 1 + occasions.length, 'closed');
  },
);

t.test('a refusal is an error with the code and the whole problem', async (t) => {
  const { client } = await phone(t);
  const error = await client.register({ email: 'x', password: 'short' }).catch((thrown) => thrown);
  t.ok(error instanceof LatchkeyError && error instanceof Error);
  t.match(error, { name: 'LatchkeyError', status: 422, code: 'invalid_input' });
  t.ok(Array.isArray(error.problem['errors']));
});

t.test('a refusal or a fault that comes after a sign-out changes nothing', async (t) => {
  const { node, client, network, changes, refreshes } = await phone(t);
  await client.register(ada);
  pass(t, node, EXPIRED);
  network.there = onRefresh(() => 'lost');
  const failing = client.token();
  await eventually(() => refreshes() === 1);
  await client.logout();
  t.equal(await failing, undefined, 'no further try');
  t.equal(refreshes(), 1);

  await client.login(ada);
  const other = (await node.login()).json();
  await node.as(other.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  pass(t, node, EXPIRED);
  const late = Promise.withResolvers<undefined>();
  network.there = async () => undefined;
  network.back = async ({ url }) => (url === '/v1/refresh' ? late.promise : undefined);
  const refused = client.token();
  await eventually(() => refreshes() === 2);
  const leaving = client.logout();
  late.resolve(undefined);
  t.equal(await refused, undefined);
  await leaving;
  t.same(changes, ['sign_in true', 'sign_out false', 'sign_in true', 'sign_out false']);
});

t.test(
  'a sign-out that was lost is sent again on waking; the address may be relative',
  async (t) => {
    const { network, node } = await phone(t);
    await node.signUp();
    const location = { href: `${network.origin}/page` };
    t.intercept(globalThis as never, 'location' as never, { value: location, configurable: true });
    const { storage } = phoneStorage();
    const client = createClient({ url: '/', transport: 'body', storage, name: 'relative' });
    t.teardown(() => client.close());
    await client.login(ada);
    t.equal((await client.fetch(`${network.origin}/v1/whoami`)).status, 200);
    network.there = async () => 'lost';
    await t.rejects(client.logout(), TypeError);
    network.there = async () => undefined;
    client.wake();
    await eventually(() => node.events().includes('session.ended'));
    t.ok(node.events().includes('session.ended'));
    t.equal(client.signedIn, false);
  },
);
