import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openChromium } from '../chromium.ts';
import { front } from '../front.ts';
import { PASSWORD, testApp } from '../test-app.ts';

/** How long after the start of a refresh a page is reloaded (ms). */
const MOMENTS = [0, 40, 150, 1_000];
/** The acceptance run has a thousand. */
const RELOADS = Number(process.env['RELOADS'] ?? 100);
/** Longer than an access token lives (ms). */
const EXPIRED = 901_000;
/** Between these, `refresh_after` of an answer is (ms). */
const [EARLIEST, LATEST] = [600_000, 720_000];

const pageOf = (service: string) => `<!doctype html><title>An application</title>
<script type="module">
  import { createClient } from '${service}/client.js';
  window.client = createClient({ url: '${service}' });
  window.changes = [];
  client.onChange(({ signedIn, reason }) => changes.push(reason + ' ' + signedIn));
  window.whoami = async () => (await client.fetch('${service}/v1/whoami')).status;
</script>`;

/** An application at one origin and the service at another, with a network between them that can fail. */
async function application(t: Test) {
  const network = await front(t);
  const elsewhere: (string | undefined)[] = [];
  const pages = createServer((request, response) => {
    if (request.url === '/data') elsewhere.push(request.headers.authorization);
    response.setHeader('content-type', 'text/html').end(pageOf(network.origin));
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  t.teardown(() => pages.closeAllConnections());
  t.teardown(() => pages.close());
  const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
  const node = await testApp(t, { env: { APP_URL: origin } });
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  await node.signUp();
  const browser = await openChromium(t);

  const open = async (context: BrowserContext) => {
    const page = await context.newPage();
    await page.goto(origin);
    await page.waitForFunction('window.whoami');
    return page;
  };
  const signedIn = async (context: BrowserContext) => {
    const page = await open(context);
    const credentials = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });
    t.equal(await page.evaluate(`client.login(${credentials})`), undefined);
    return page;
  };
  const refreshes = () => network.requests.filter((request) => request === 'POST /v1/refresh');
  const nobodyIsSuspected = () => {
    const refused = node.logs.filter(
      ({ route, status }) => route === '/v1/refresh' && status === 401,
    );
    t.same(refused, []);
    t.notOk(node.events().includes('session.reuse_detected'));
  };
  return {
    network,
    node,
    origin,
    elsewhere,
    browser,
    open,
    signedIn,
    refreshes,
    nobodyIsSuspected,
  };
}

/** At most five seconds. */
async function eventually(is: () => boolean) {
  for (let look = 0; look < 500 && !is(); look += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

const isIn = (page: Page) => page.evaluate('client.token().then(Boolean)');
const changesOf = (page: Page) => page.evaluate('changes');

t.test(
  'a page imports the module from another origin, signs in, calls, and is signed in after a reload; no script finds a token',
  async (t) => {
    const { browser, signedIn, origin, elsewhere } = await application(t);
    const page = await signedIn(await browser.newContext());
    t.equal(await page.evaluate('whoami()'), 200);
    t.same(await changesOf(page), ['sign_in true']);
    await page.evaluate(`client.fetch('${origin}/data')`);
    await page.evaluate("client.fetch('/data')");
    t.same(elsewhere, [undefined, undefined], 'its own server was not named, so it gets no token');
    const seen = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';
    t.equal(await page.evaluate(seen), '[{},{},""]');

    await page.reload();
    await page.waitForFunction('window.whoami');
    t.equal(await page.evaluate('client.signedIn'), undefined);
    t.equal(await page.evaluate('whoami()'), 200);
    t.same(await changesOf(page), ['refresh true']);
    t.equal(await page.evaluate(seen), '[{},{},""]');
    await page.evaluate('client.logout()');
    t.equal(await page.evaluate('whoami()'), 401);
    await page.reload();
    await page.waitForFunction('window.whoami');
    t.equal(await isIn(page), false);
    t.same(await changesOf(page), ['refresh_missing false']);
  },
);

t.test('four tabs that refresh at once send one request', async (t) => {
  const { browser, open, signedIn, refreshes, node, nobodyIsSuspected } = await application(t);
  const context = await browser.newContext();
  const first = await signedIn(context);
  const tabs = [first, await open(context), await open(context), await open(context)];
  t.same(await Promise.all(tabs.map(isIn)), [true, true, true, true]);
  for (let round = 0; round < 4; round += 1) {
    node.clock.advance(EXPIRED);
    const before = refreshes().length;
    const statuses = await Promise.all(tabs.map((tab) => tab.evaluate('whoami()')));
    t.same(statuses, [200, 200, 200, 200]);
    t.equal(refreshes().length - before, 1);
  }
  nobodyIsSuspected();
});

for (const moment of MOMENTS)
  t.test(
    `a page that is reloaded ${moment} ms into its refresh, three times, stays signed in, even if the first request arrives last`,
    async (t) => {
      const { browser, signedIn, node, network, nobodyIsSuspected } = await application(t);
      const page = await signedIn(await browser.newContext());
      for (let round = 0; round < 3; round += 1) {
        node.clock.advance(EXPIRED);
        const late = Promise.withResolvers<undefined>();
        let held = 0;
        network.there = async ({ method, url }) => {
          if (method !== 'POST' || url !== '/v1/refresh') return undefined;
          held += 1;
          return held === 1 ? late.promise : undefined;
        };
        const arrived = new Promise<undefined>((resolve) => {
          network.back = async ({ url }) => {
            if (held > 1 && url === '/v1/refresh') resolve(undefined);
            return undefined;
          };
        });
        await page.evaluate('void whoami()');
        for (let reload = 0; reload < 3; reload += 1) {
          await new Promise((resolve) => setTimeout(resolve, moment));
          await page.reload();
          await page.waitForFunction('window.whoami');
          await page.evaluate('void whoami()');
        }
        await arrived;
        late.resolve(undefined);
        t.equal(await page.evaluate('whoami()'), 200);
        node.clock.advance(60_000);
      }
      nobodyIsSuspected();
    },
  );

t.test('a tab that is closed while it holds the lock leaves the others signed in', async (t) => {
  const { browser, open, signedIn, node, network, nobodyIsSuspected } = await application(t);
  const context = await browser.newContext();
  const holder = await signedIn(context);
  const other = await open(context);
  t.equal(await isIn(other), true);
  node.clock.advance(EXPIRED);
  const sent = Promise.withResolvers<void>();
  const late = Promise.withResolvers<undefined>();
  network.back = async ({ url }) => {
    if (url !== '/v1/refresh') return undefined;
    network.back = async () => undefined;
    sent.resolve();
    return late.promise;
  };
  await holder.evaluate('void whoami()');
  await sent.promise;
  const call = other.evaluate('whoami()');
  await holder.close();
  t.equal(await call, 200);
  late.resolve(undefined);
  node.clock.advance(EXPIRED);
  t.equal(await other.evaluate('whoami()'), 200);
  nobodyIsSuspected();
});

t.test('a page stays signed in offline, and refreshes when it is online again', async (t) => {
  const { browser, signedIn, node, network, refreshes, nobodyIsSuspected } = await application(t);
  const context = await browser.newContext();
  const tab = await signedIn(context);
  await tab.clock.install();
  await tab.reload();
  await tab.waitForFunction('window.whoami');
  t.equal(await isIn(tab), true);
  const before = refreshes().length;
  network.there = async () => 'lost';
  await context.setOffline(true);
  node.clock.advance(EXPIRED);
  // No timer tries again: what follows is because the browser is online.
  await tab.clock.pauseAt(Date.now() + EXPIRED);
  t.equal(await tab.evaluate('client.signedIn'), true);
  network.there = async () => undefined;
  await context.setOffline(false);
  await eventually(() => refreshes().length > before);
  t.equal(refreshes().length - before, 1, 'before a call needs it');
  t.equal(await tab.evaluate('whoami()'), 200);
  t.same(await changesOf(tab), ['refresh true']);
  t.equal(refreshes().length - before, 1);
  nobodyIsSuspected();
});

t.test('a page that nobody uses refreshes on time, again and again', async (t) => {
  const { browser, signedIn, node, refreshes, nobodyIsSuspected } = await application(t);
  const tab = await signedIn(await browser.newContext());
  await tab.clock.install();
  await tab.reload();
  await tab.waitForFunction('window.whoami');
  t.equal(await isIn(tab), true);
  const pass = async (milliseconds: number) => {
    node.clock.advance(milliseconds);
    await tab.clock.fastForward(milliseconds);
  };
  for (let round = 0; round < 3; round += 1) {
    const before = refreshes().length;
    const answered = tab.waitForResponse('**/v1/refresh');
    await pass(EARLIEST - 30_000);
    t.equal(refreshes().length, before, 'not earlier');
    await pass(LATEST - EARLIEST + 30_000);
    await (await answered).finished();
    t.equal(refreshes().length, before + 1);
    await tab.waitForFunction('!Object.keys(localStorage).length');
  }
  nobodyIsSuspected();
});

t.test('a laptop that slept for a day is signed in when it wakes', async (t) => {
  const { browser, signedIn, node, nobodyIsSuspected } = await application(t);
  const tab = await signedIn(await browser.newContext());
  await tab.clock.install();
  await tab.reload();
  await tab.waitForFunction('window.whoami');
  t.equal(await isIn(tab), true);
  const day = 86_400_000;
  node.clock.advance(day);
  await tab.clock.fastForward(day);
  t.equal(await tab.evaluate('whoami()'), 200);
  t.same(await changesOf(tab), ['refresh true']);
  nobodyIsSuspected();
});

t.test('a sign-out in one tab is heard in the others, and a sign-in too', async (t) => {
  const { browser, open, signedIn } = await application(t);
  const context = await browser.newContext();
  const tab = await signedIn(context);
  const other = await open(context);
  t.equal(await isIn(other), true);
  await tab.evaluate('client.logout()');
  await other.waitForFunction('client.signedIn === false');
  t.same(await changesOf(other), ['refresh true', 'sign_out false']);
  t.equal(await isIn(other), false);
  const credentials = JSON.stringify({ email: 'ada@example.com', password: PASSWORD });
  await tab.evaluate(`client.login(${credentials})`);
  await other.waitForFunction('client.signedIn');
  t.equal(await other.evaluate('whoami()'), 200);
});

t.test('a sign-out without a network is finished after the next load', async (t) => {
  const { browser, signedIn, network, node } = await application(t);
  const tab = await signedIn(await browser.newContext());
  network.there = async () => 'lost';
  await t.rejects(tab.evaluate('client.logout()'), /Failed to fetch/);
  t.equal(await tab.evaluate('client.signedIn'), false);
  network.there = async () => undefined;
  await tab.reload();
  await tab.waitForFunction('window.whoami');
  t.equal(await isIn(tab), false);
  t.ok(node.events().includes('session.ended'), 'the service knows it');
  t.match(network.requests.at(-1), /^DELETE \/v1\/me\/sessions\/[\w-]{22}$/);
});

t.test('a sign-out without a network never ends a session from elsewhere', async (t) => {
  const { browser, open, signedIn, network, node } = await application(t);
  const context = await browser.newContext();
  const tab = await signedIn(context);
  network.there = async () => 'lost';
  await t.rejects(tab.evaluate('client.logout()'), /Failed to fetch/);
  await tab.close();
  network.there = async () => undefined;

  // As the way back from a provider: the service sets the cookie, and the module does not hear of it.
  const page = await open(context);
  const sent = JSON.stringify({
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD, transport: 'cookie' }),
  });
  const status = await page.evaluate(
    `fetch('${network.origin}/v1/login', ${sent}).then(({ status }) => status)`,
  );
  t.equal(status, 200);
  await page.reload();
  await page.waitForFunction('window.whoami');
  t.equal(await isIn(page), true);
  t.same(await changesOf(page), ['refresh true']);
  t.equal(await page.evaluate('whoami()'), 200);
  t.equal(await page.evaluate('localStorage.length'), 0);
  const row = await node.context.users.findByEmail('ada@example.com');
  const ended = row?.sessions.map(({ ended_at }) => ended_at !== undefined);
  t.same(ended, [false, false, true], 'the one that was signed out, and no other');
});

t.test(
  'a refresh token that a thief used signs every tab out, and the page learns why',
  async (t) => {
    const { browser, open, signedIn, node, origin } = await application(t);
    const context = await browser.newContext();
    const tab = await signedIn(context);
    const other = await open(context);
    t.equal(await isIn(other), true);
    const isRefresh = ({ name }: { name: string }) => name.endsWith('refresh');
    let stolen = (await context.cookies()).find(isRefresh)?.value;
    for (let theft = 0; theft < 2; theft += 1) {
      const cookie = `__Secure-latchkey_refresh=${stolen}`;
      const answer = await node.post('/v1/refresh', undefined, { cookie, origin });
      t.equal(answer.statusCode, 200);
      stolen = answer.cookies.find(isRefresh)?.value;
    }
    node.clock.advance(EXPIRED);
    t.equal(await tab.evaluate('whoami()'), 401);
    t.same(await changesOf(tab), ['sign_in true', 'refresh_reused false']);
    await other.waitForFunction('client.signedIn === false');
    t.match(await changesOf(other), ['refresh true', 'refresh_reused false']);
    t.ok(node.events().includes('session.reuse_detected'));
  },
);

t.test(`${RELOADS} reloads in the middle of a refresh sign nobody out`, async (t) => {
  const { browser, signedIn, node, network, nobodyIsSuspected } = await application(t);
  const page = await signedIn(await browser.newContext());
  const wait = (most: number) =>
    new Promise((resolve) => setTimeout(resolve, Math.random() * most));
  const delay = async ({ url }: { url?: string | undefined }) => {
    if (url === '/v1/refresh') await wait(40);
    return undefined;
  };
  Object.assign(network, { there: delay, back: delay });
  for (let reload = 0; reload < RELOADS; reload += 1) {
    await page.evaluate('void whoami()');
    await wait(60);
    await page.reload();
    await page.waitForFunction('window.whoami');
    if (reload % 10 === 9) {
      t.equal(await page.evaluate('whoami()'), 200);
      node.clock.advance(EXPIRED);
    }
  }
  t.equal(await page.evaluate('whoami()'), 200);
  nobodyIsSuspected();
});
