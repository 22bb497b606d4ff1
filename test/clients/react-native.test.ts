import t, { type Test } from 'tap';
import type { ClientStorage } from '../../src/clients/client.d.ts';
import { front, type Interference } from '../front.ts';
import { PASSWORD, testApp } from '../test-app.ts';
import { startApp } from './react-native.ts';

const ada = { email: 'ada@example.com', password: PASSWORD };
const A_DAY = 86_400_000;

/** What React Native lacks, and browsers have. */
const LACKING = [
  'BroadcastChannel',
  'addEventListener',
  'crypto',
  'document',
  'localStorage',
  'location',
  'structuredClone',
];

async function phone(t: Test) {
  const network = await front(t);
  const node = await testApp(t);
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  const items = new Map<string, string>();
  const soon = () => new Promise((resolve) => setTimeout(resolve, 1));
  /** As AsyncStorage. */
  const storage: ClientStorage = {
    getItem: async (key) => soon().then(() => items.get(key) ?? null),
    setItem: async (key, value) => soon().then(() => items.set(key, value)),
    removeItem: async (key) => soon().then(() => items.delete(key)),
  };
  const start = (origins: string[] = []) =>
    startApp(t, { url: network.origin, transport: 'body', storage, origins });
  const whoami = async ({ client }: ReturnType<typeof start>) =>
    (await client.fetch(`${network.origin}/v1/whoami`)).status;
  return { network, node, items, start, whoami };
}

/** Holds each refresh until the test lets it go on. `arrived` resolves when there is one. */
function holdingRefreshes() {
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const hold = async ({ url }: { url?: string | undefined }): Promise<Interference | undefined> => {
    if (url !== '/v1/refresh') return undefined;
    arrived.resolve();
    await gone.promise;
    return undefined;
  };
  return { arrived: arrived.promise, letGo: gone.resolve, hold };
}

t.test('an app of React Native signs up, calls, signs out and in again', async (t) => {
  const { network, node, items, start, whoami } = await phone(t);
  const app = start();
  for (const name of LACKING) t.notOk(app.globals.includes(name), name);
  const changes: string[] = [];
  app.client.onChange(({ signedIn, reason }) => changes.push(`${reason} ${signedIn}`));
  t.equal(await app.client.token(), undefined);
  t.equal(await app.client.register(ada), true);
  t.equal(await whoami(app), 200);
  const request = new app.Request(`${network.origin}/v1/me`);
  t.match(await (await app.client.fetch(request)).json(), { email: ada.email });
  t.equal((await app.client.fetch(new app.URL(`${network.origin}/v1/me`))).status, 200);
  app.client.wake();
  await app.client.logout();
  t.ok(node.events().includes('session.ended'));
  t.same([...items.keys()], ['latchkey.device']);
  await t.rejects(app.client.login({ ...ada, password: 'wrong' }), {
    code: 'invalid_credentials',
    status: 401,
  });
  await app.client.login(ada);
  t.equal(await whoami(app), 200);
  t.same(changes, ['refresh_missing false', 'sign_in true', 'sign_out false', 'sign_in true']);
});

for (const side of ['there', 'back'] as const)
  t.test(`an app that is killed while its refresh is held on the way ${side}`, async (t) => {
    const { network, node, items, start, whoami } = await phone(t);
    const first = start();
    await first.client.register(ada);
    first.kill();
    const keys = new Set<string | undefined>();
    for (let times = 0; times < 5; times += 1) {
      const { arrived, letGo, hold } = holdingRefreshes();
      network[side] = hold;
      const app = start();
      const goesOn = () => t.fail('a killed app goes on');
      app.client.token().then(goesOn, goesOn);
      await arrived;
      keys.add(items.get('latchkey.attempt'));
      app.kill();
      letGo();
    }
    t.equal(keys.size, 1, 'the same attempt each time');
    t.match([...keys][0], /^[0-9a-f]{32}$/);
    network[side] = async () => undefined;
    node.clock.advance(A_DAY);
    const app = start();
    t.equal(await whoami(app), 200, 'a day later it is signed in');
    t.notOk(items.has('latchkey.attempt'));
    t.notOk(node.events().includes('session.reuse_detected'));
  });

t.test('a URL whose origin React Native does not know gets no token', async (t) => {
  const { network, start } = await phone(t);
  const app = start(['HTTP://api.example.com', 'myapp://home']);
  await app.client.register(ada);
  const shouted = network.origin.replace('http', 'HTTP');
  t.equal(new app.URL(shouted).origin, '');
  t.equal((await app.client.fetch(`${shouted}/v1/me`)).status, 401);
  t.equal((await app.client.fetch(`${network.origin}/v1/me`)).status, 200);
});
