import t from 'tap';
import { openChromium } from '../chromium.ts';
import { document } from '../operations.ts';
import { PASSWORD, type Tokens, testApp } from '../test-app.ts';

for (const [base, name] of [
  ['', 'Latchkey'],
  ['/auth', 'Q&A: "Harbour", <i>Ltd\\'],
] as const)
  t.test(
    `${base}/docs shows every operation and can try it, without loading anything from elsewhere`,
    async (t) => {
      const { app } = await testApp(t, {
        env: { ISSUER: `http://localhost:3000${base}`, PRODUCT_NAME: name },
      });
      const address = `${await app.listen({ host: '127.0.0.1', port: 0 })}${base}`;
      const signedUp = await fetch(`${address}/v1/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD }),
      });
      const { access_token } = (await signedUp.json()) as Tokens;

      const browser = await openChromium(t);
      const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
      page.on('request', (request) => requests.push(request.url()));
      await page.addInitScript(
        "addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective))",
      );

      const answer = await page.goto(`${address}/docs`);
      t.equal(answer?.status(), 200);
      await page.locator('.opblock').first().waitFor();
      t.equal(await page.title(), `${name} API`);
      t.equal(await page.locator('.topbar').count(), 0, 'no field asks for another document');
      t.ok((await page.locator('.info .title').textContent())?.startsWith(name));
      const operations = Object.values(document.paths).flatMap((item) =>
        Object.values(item).map(({ summary }) => summary),
      );
      const shown = await page.locator('.opblock-summary-description').allTextContents();
      t.same(shown.sort(), operations.sort());

      const whoami = page.locator('#operations-Sessions-whoami');
      await whoami.locator('.opblock-summary-control').click();
      await page.locator('.btn.authorize').click();
      await page.locator('.auth-container input').first().fill(access_token);
      await page.locator('.auth-btn-wrapper .authorize').first().click();
      await page.locator('.auth-btn-wrapper .btn-done').first().click();
      await whoami.locator('.try-out__btn').click();
      await whoami.locator('.execute').click();
      await whoami.locator('.live-responses-table .response-col_status').last().waitFor();
      t.match(
        await whoami.locator('.live-responses-table').textContent(),
        /"client_id": "latchkey"/,
      );

      t.same(complaints, []);
      t.ok(requests.length > 3);
      t.same(
        requests.filter((url) => !url.startsWith(`${address}/`) && !url.startsWith('data:')),
        [],
        'no request to another host',
      );
    },
  );

t.test('on a phone the pages fit the width of the screen', async (t) => {
  const { app } = await testApp(t);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const browser = await openChromium(t);
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  const page = await (await browser.newContext(phone)).newPage();
  const widths = () => page.evaluate('[innerWidth, document.documentElement.scrollWidth]');
  await page.goto(`${address}/problems/rate_limited`);
  t.same(await widths(), [390, 390], 'the page of a problem');
  await page.goto(`${address}/docs`);
  await page.locator('.opblock').first().waitFor();
  t.same(await widths(), [390, 390], '/docs');
  await page.locator('#operations-Sessions-whoami .opblock-summary-control').tap();
  await page.locator('#operations-Sessions-whoami .try-out__btn').waitFor();
  t.same(await widths(), [390, 390], 'an operation in it');
  t.equal(await page.getByText('No links').first().isVisible(), false, 'no column without content');
});
