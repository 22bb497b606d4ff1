import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { openChromium } from '../chromium.ts';
import { mailbox } from '../mailbox.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const RELOADS = 8;

/** What a page does on load to sign in again. Each load makes a new key. */
const PAGE = `<!doctype html><title>page</title><script>
  const refresh = () => fetch('/v1/refresh', {
    method: 'POST', headers: { 'Idempotency-Key': crypto.randomUUID() },
  }).then(({ status }) => status);
</script>`;

/** A slow network between the browser and the service, which delays requests and answers. */
async function slowNetwork(t: Test) {
  let target = '';
  const waits = { there: async () => {}, back: async () => {} };
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (incoming.url === '/page') {
      outgoing.setHeader('content-type', 'text/html').end(PAGE);
      return;
    }
    const isRefresh = incoming.url === '/v1/refresh';
    const body = await Array.fromAsync(incoming);
    if (isRefresh) await waits.there();
    const { method = 'GET', url = '/', headers } = incoming;
    const onward = request(new URL(url, target), { method, headers });
    onward.end(Buffer.concat(body));
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const content = Buffer.concat(await Array.fromAsync(answer));
    if (isRefresh) await waits.back();
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers).end(content);
  };
  const server = createServer((incoming, outgoing) => void pass(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    leadsTo: (address: string) => {
      target = address;
    },
    waits,
  };
}

async function signedInPage(t: Test) {
  const network = await slowNetwork(t);
  const box = await mailbox(t);
  const node = await testApp(t, { env: { APP_URL: network.origin, MAIL_URL: box.url } });
  network.leadsTo(await node.app.listen({ host: '127.0.0.1', port: 0 }));
  await node.signUp();
  const page = await (await openChromium(t)).newPage();
  await page.goto(`${network.origin}/page`);
  const body = JSON.stringify({
    email: 'ada@example.com',
    password: PASSWORD,
    transport: 'cookie',
  });
  const status = await page.evaluate(
    `fetch('/v1/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(body)} }).then(({ status }) => status)`,
  );
  t.equal(status, 200);
  const isRefreshed = async () => t.equal(await page.evaluate('refresh()'), 200);
  const nobodyIsSuspected = () => {
    const refused = node.logs.filter(
      ({ route, status }) => route === '/v1/refresh' && status !== 200,
    );
    t.same(refused, []);
    t.notOk(node.events().includes('session.reuse_detected'));
  };
  return { ...network, node, page, isRefreshed, nobodyIsSuspected };
}

t.test('a page that is reloaded during its refresh stays signed in', async (t) => {
  const { waits, node, page, isRefreshed, nobodyIsSuspected } = await signedInPage(t);
  for (let round = 0; round < RELOADS; round += 1) {
    const [rotated, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    waits.back = () => {
      rotated.resolve();
      return gone.promise;
    };
    await page.evaluate('void refresh()');
    await rotated.promise;
    waits.back = async () => {};
    await page.reload();
    gone.resolve();
    await isRefreshed();
    node.clock.advance(600_000);
  }
  await isRefreshed();
  nobodyIsSuspected();
});

t.test(
  'a page that is reloaded twice, and whose first refresh arrives last, stays signed in',
  async (t) => {
    const { waits, node, page, isRefreshed, nobodyIsSuspected } = await signedInPage(t);
    for (let round = 0; round < RELOADS; round += 1) {
      const [sent, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const arrived = Promise.withResolvers<void>();
      waits.there = () => {
        sent.resolve();
        return late.promise;
      };
      await page.evaluate('void refresh()');
      await sent.promise;
      waits.there = async () => {};
      for (let reload = 0; reload < 2; reload += 1) {
        await page.reload();
        await isRefreshed();
      }
      waits.back = async () => arrived.resolve();
      late.resolve();
      await arrived.promise;
      waits.back = async () => {};
      await isRefreshed();
      node.clock.advance(600_000);
    }
    nobodyIsSuspected();
  },
);
