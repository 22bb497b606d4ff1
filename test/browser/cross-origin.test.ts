import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { openChromium } from '../chromium.ts';
import { PASSWORD, type TestApp, testApp } from '../test-app.ts';

/** What the page of an SPA does, as .github/CLIENTS.md says. Answers what each call brought. */
const WALK = `async (api) => {
  const call = (path, init = {}) => fetch(api + path, { credentials: 'include', ...init });
  const json = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ email: 'ada@example.com', password: '${PASSWORD}', transport: 'cookie' });
  try {
    const login = await call('/v1/login', { method: 'POST', headers: json, body });
    const refreshed = await call('/v1/refresh', { method: 'POST', headers: { 'Idempotency-Key': 'one' } });
    const { access_token } = await refreshed.json();
    const headers = { Authorization: 'Bearer ' + access_token };
    const me = await call('/v1/me', { headers });
    const renamed = await call('/v1/me', { method: 'PATCH', headers: { ...headers, ...json }, body: '{"name":"Ada"}' });
    return [login, refreshed, me, renamed].map(({ status }) => status);
  } catch (error) {
    return String(error);
  }
}`;

t.test(
  'a page at APP_URL signs in, refreshes and calls from another origin; a page elsewhere is refused, and the log says why',
  async (t) => {
    const pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>An application</title>');
    });
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
    t.teardown(() => pages.close());
    const { port } = pages.address() as AddressInfo;
    const service = await testApp(t, { env: { APP_URL: `http://localhost:${port}` } });
    await service.signUp();
    const at = new URL(await service.app.listen({ host: '127.0.0.1', port: 0 }));
    const browser = await openChromium(t);

    const walk = async (origin: string, logs: TestApp['logs']) => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(origin);
      const brought = await page.evaluate(`(${WALK})('http://localhost:${at.port}')`);
      return {
        brought,
        said: logs.flatMap(({ msg }) => (/refused/.test(String(msg)) ? [msg] : [])),
      };
    };
    t.same(await walk(`http://localhost:${port}`, service.logs), {
      brought: [200, 200, 200, 200],
      said: [],
    });
    const { brought, said } = await walk(`http://127.0.0.1:${port}`, service.logs);
    t.match(brought, /TypeError: Failed to fetch/);
    t.match(said, [
      `refused a browser request from http://127.0.0.1:${port}: if this is your page, set APP_URL to its address or add its origin to CORS_ORIGINS`,
    ]);
    t.equal(said.length, 1);
  },
);
