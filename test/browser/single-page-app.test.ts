import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { outsideProvider, slotOf } from '../oidc-provider.ts';
import { blocksOf } from '../readme-walk.ts';
import { virtualAuthenticator } from './virtual-authenticator.ts';
import { visited } from './visitor.ts';

const BUTTONS = [
  'sign-in-with-google',
  'sign-in-with-passkey',
  'add-passkey',
  'link-google',
  'sign-out',
];

t.test('the page of CLIENTS.md signs in with Google and with a passkey', async (t) => {
  const recipe = blocksOf('.github/CLIENTS.md', 'A page with passkeys and Google').find(
    ({ language }) => language === 'js',
  );
  let script = '';
  const pages = createServer(({ url }, response) => {
    const isScript = url === '/app.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript
        ? script
        : `<!doctype html><p id="status"></p>${BUTTONS.map((id) => `<button id="${id}">${id}</button>`).join('')}
           <script type="module" src="/app.js"></script>`,
    );
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  t.teardown(() => pages.close());
  const home = `http://localhost:${(pages.address() as AddressInfo).port}/`;

  const provider = await outsideProvider(t);
  provider.people.set('ada', { email: 'ada@example.com', email_verified: true });
  const world = await visited(t, { env: { APP_URL: home.slice(0, -1), ...slotOf(provider) } });
  provider.serve(world.url);
  world.clock.now = Date.now();
  script = String(recipe?.text).replaceAll('https://id.example.com', world.url);

  const page = await (await world.browser.newContext()).newPage();
  await virtualAuthenticator(page);
  const press = (id: string) => page.getByRole('button', { name: id, exact: true }).click();
  const said = (text: string) => page.locator('#status').getByText(text, { exact: true }).waitFor();
  await page.goto(home);
  await said('signed out');

  await press('sign-in-with-google');
  await said('signed in');
  t.equal(page.url(), home);

  const added = page.waitForResponse(`${world.url}/v1/me/passkeys`);
  await press('add-passkey');
  t.equal((await added).status(), 201);

  await press('sign-out');
  await said('signed out');
  // 15 minutes ago. The provider has no other time than the present one.
  world.clock.now = Date.now() - 901_000;
  await press('sign-in-with-passkey');
  await said('signed in');

  // Too long ago for a link: the script asks for the passkey first.
  world.clock.now = Date.now();
  const proven = page.waitForResponse(`${world.url}/v1/me/verify`);
  await page.reload();
  await said('signed in');
  const arrived = page.waitForResponse((answer) => answer.url().includes('/v1/login/1/callback'));
  await press('link-google');
  t.equal((await proven).status(), 200);
  t.equal(await (await arrived).headerValue('location'), home);
  await said('signed in');

  await press('sign-out');
  await said('signed out');
  // Nobody is signed in at the provider any more, and the user cancels there.
  await page.context().clearCookies({ domain: '127.0.0.1' });
  provider.user = undefined;
  await press('sign-in-with-google');
  await said('provider_refused');
  t.equal(new URL(page.url()).pathname, '/login');
});
