import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { openChromium } from '../chromium.ts';
import { guarded } from '../clients/guarded.ts';

const PAGE = `<!doctype html><title>A page</title>
<script type="module">
  import { createVerifier } from '/verify.js';
  const verdictOf = (verifier, token) => verifier.verify(token).then(() => 'ok', ({ code }) => code ?? 'error');
  window.wrong = async (set) => {
    const now = Date.now;
    Date.now = () => set.now * 1000;
    const fetch = async () => new Response(JSON.stringify(set.jwks), { headers: { 'Content-Type': 'application/jwk-set+json' } });
    const verifier = createVerifier({ ...set, algorithms: [set.alg], revocations: false, fetch });
    const wrong = [];
    for (const { id, verdict, token } of set.tokens)
      if ((await verdictOf(verifier, token) === 'ok') !== (verdict === 'accept')) wrong.push(id);
    Date.now = now;
    return wrong;
  };
  window.follow = (issuer) => {
    window.verifier = createVerifier({ issuer, revocations: { bound: 60, whenAway: 'closed' } });
  };
  window.until = async (code, token) => {
    for (let look = 0; look < 500 && (await said(token)) !== code; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  window.said = (token) => verdictOf(verifier, token);
</script>`;

t.test('in Chromium, a page verifies every vector and hears of a sign-out', async (t) => {
  const pages = createServer((request, response) => {
    const isModule = request.url === '/verify.js';
    response
      .setHeader('content-type', isModule ? 'text/javascript' : 'text/html')
      .end(isModule ? readFileSync('src/clients/verify.js') : PAGE);
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  t.teardown(() => pages.closeAllConnections());
  t.teardown(() => pages.close());
  const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
  const { network, node, ada } = await guarded(t, { CORS_ORIGINS: origin });
  const page = await (await openChromium(t)).newPage();
  await page.goto(origin);
  await page.waitForFunction('window.said');
  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA'])
    t.same(
      await page.evaluate(`wrong(${readFileSync(`test/vectors/${alg}.json`, 'utf8')})`),
      [],
      alg,
    );

  await page.evaluate(`follow('${network.origin}')`);
  const said = `said('${ada.access_token}')`;
  t.equal(await page.evaluate(said), 'ok');
  await node.as(ada.access_token, { method: 'POST', url: '/v1/logout' });
  await page.evaluate(`until('token_revoked', '${ada.access_token}')`);
  t.equal(await page.evaluate(said), 'token_revoked');
  t.ok(network.requests.some((line) => line.includes('?since=')));
  await page.evaluate('verifier.close()');
});
