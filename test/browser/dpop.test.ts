import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import t from 'tap';
import { passwordHash, signedIn } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { visited } from './visitor.ts';

const CREDENTIALS = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });

/** A client in a page of the service, or of another origin, whose session is bound to a key of the browser. */
async function open(page: Page, url: string, origin = url) {
  await page.goto(`${origin}/`);
  await page.evaluate(`(async () => {
    const { createClient } = await import('${url}/client.js');
    const { dpopFetch } = await import('${url}/client-dpop.js');
    window.client = createClient({ url: '${url}', fetch: dpopFetch({ url: '${url}' }) });
  })()`);
  return {
    page,
    signIn: () => page.evaluate(`client.login(${CREDENTIALS})`),
    token: () => page.evaluate<string | undefined>('client.token()'),
    whoami: () =>
      page.evaluate<{ cnf?: { jkt: string } }>(
        `client.fetch('${url}/v1/whoami').then((answer) => answer.json())`,
      ),
  };
}

/** The private key as a script of the page can get at it. */
const KEY = `new Promise((resolve, reject) => {
  const opening = indexedDB.open('latchkey.dpop');
  opening.onerror = reject;
  opening.onsuccess = () => {
    const asked = opening.result.transaction('keys').objectStore('keys').get('keys');
    asked.onsuccess = async () => {
      const { privateKey } = asked.result;
      const said = await crypto.subtle.exportKey('jwk', privateKey).catch(({ name }) => name);
      resolve([privateKey.extractable, said]);
    };
  };
})`;

for (const DPOP_NONCE of ['off', 'on'])
  t.test(
    `a real browser keeps the key of its session, with DPOP_NONCE=${DPOP_NONCE}`,
    async (t) => {
      const world = await visited(t, { env: { DPOP_NONCE } });
      const { url, clock } = world;
      clock.now = Date.now();
      const ada = await signedIn(world, 'ada@example.com', { password_hash: passwordHash(world) });
      const page = await world.visitor();
      const first = await open(page, url);
      await first.signIn();
      const jkt = (await first.whoami()).cnf?.jkt;
      t.match(jkt, /^[\w-]{43}$/);

      t.comment('after a reload, and in a second tab');
      const again = await open(page, url);
      t.equal((await again.whoami()).cnf?.jkt, jkt);
      const tab = await open(await page.context().newPage(), url);
      t.equal((await tab.whoami()).cnf?.jkt, jkt);
      const row = await world.context.users.findById(ada.id);
      t.match(row?.sessions.at(-1), { jkt, transport: 'cookie' });

      t.comment('a script of the page can use the key, and cannot read it');
      t.same(await page.evaluate(KEY), [false, 'InvalidAccessError']);

      t.comment('a thief with the access token and the cookie, in another browser');
      const authorization = `Bearer ${await again.token()}`;
      t.equal((await fetch(`${url}/v1/whoami`, { headers: { authorization } })).status, 401);
      const cookies = await page.context().cookies();
      const thief = await world.visitor();
      await thief.context().addCookies(cookies);
      const stolen = await open(thief, url);
      t.equal(await stolen.token(), undefined);
      t.ok((await again.whoami()).cnf, 'the session of the owner goes on');
    },
  );

t.test('a session in cookies that began without a key goes on in a page that binds', async (t) => {
  const world = await visited(t);
  const { url, clock } = world;
  clock.now = Date.now();
  const ada = await signedIn(world, 'ada@example.com', { password_hash: passwordHash(world) });
  const page = await world.visitor();
  await page.goto(`${url}/`);
  await page.evaluate(`(async () => {
    const { createClient } = await import('${url}/client.js');
    await createClient({ url: '${url}' }).login(${CREDENTIALS});
  })()`);
  const { whoami } = await open(page, url);
  t.match(await whoami(), { sub: ada.id, cnf: undefined });
});

t.test(
  'a page of another origin can do the same: CORS lets it send proofs and read nonces',
  async (t) => {
    const pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>App</title>');
    });
    pages.listen(0, 'localhost');
    await once(pages, 'listening');
    t.teardown(() => pages.close());
    const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    const world = await visited(t, { env: { DPOP_NONCE: 'on', CORS_ORIGINS: origin } });
    world.clock.now = Date.now();
    await signedIn(world, 'ada@example.com', { password_hash: passwordHash(world) });
    const app = await open(await world.visitor(), world.url, origin);
    await app.signIn();
    t.match(await app.whoami(), { cnf: { jkt: /^[\w-]{43}$/ } });
  },
);
