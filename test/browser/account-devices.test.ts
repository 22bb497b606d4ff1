import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { User } from '../../src/schemas/user.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type Tokens } from '../test-app.ts';
import { type AccountPage, accountPage, EMAIL, press, said } from './account-page.ts';
import { looksRight } from './looks.ts';

const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15';

const section = (page: Page) => page.getByRole('region', { name: 'Devices' });
const items = (page: Page) => section(page).getByRole('listitem');
const live = ({ sessions }: User) => sessions.filter(({ ended_at }) => ended_at === undefined);
const notNow = (page: Page) => page.keyboard.press('Escape');

async function signInFrom({ post }: AccountPage, client: string): Promise<Tokens> {
  const answer = await post(
    '/v1/login',
    { email: EMAIL, password: PASSWORD },
    { 'user-agent': client },
  );
  return answer.json<Tokens>();
}

/** The calls with a session that has ended are refused: with its refresh token, and with its access token. */
async function hasEnded(t: Test, { refresh, as }: AccountPage, tokens: Tokens) {
  refused(t, await refresh(tokens.refresh_token), 401, 'refresh_invalid');
  refused(t, await as(tokens.access_token, { url: '/v1/me' }), 401, 'token_revoked');
}

t.test('a user sees the devices, this one first, and signs one out', async (t) => {
  const world = await accountPage(t);
  const { open, elsewhere, refresh } = world;
  const phone = await signInFrom(world, PHONE);
  const tool = await signInFrom(world, 'deploy/1.2 (linux)');
  const page = await open();
  t.match(await items(page).first().textContent(), /on Linux.*This device/);
  const texts = (await items(page).allTextContents()).join('\n');
  t.match(texts, /Browser on iPhone/);
  t.match(texts, /deploy\/1\.2 \(linux\)/);
  t.equal(await items(page).locator('time').count(), 8);
  await looksRight(t, page, 'account, devices');

  await press(page, 'Sign out Browser on iPhone');
  await said(page, 'Browser on iPhone is signed out.');
  t.equal(await items(page).count(), 3);
  t.equal(await page.evaluate('document.activeElement.id'), 'devices-title');
  await hasEnded(t, world, phone);
  t.equal((await refresh(tool.refresh_token)).statusCode, 200, 'the others go on');
  t.equal((await refresh(elsewhere.refresh_token)).statusCode, 200);
});

t.test('a device that has gone in the meantime is no error', async (t) => {
  const world = await accountPage(t);
  const page = await world.open();
  const { refresh_token } = world.elsewhere;
  t.equal((await world.post('/v1/logout', { refresh_token })).statusCode, 204);
  await press(page, 'Sign out test');
  await said(page, 'test is signed out.');
});

t.test('a user signs out the other devices, or all, and may think again', async (t) => {
  const world = await accountPage(t);
  const { open, elsewhere, row, url } = world;
  const phone = await signInFrom(world, PHONE);
  const page = await open();
  await press(page, 'Sign out other devices');
  await notNow(page);
  t.equal(
    await page.evaluate('document.activeElement.textContent'),
    'Sign out other devices',
    'the focus returns',
  );
  t.equal(live(await row()).length, 3);
  await press(page, 'Sign out other devices');
  await press(page, 'Sign them out');
  await said(page, 'All your other devices are signed out.');
  t.equal(await items(page).count(), 1);
  await hasEnded(t, world, phone);
  await hasEnded(t, world, elsewhere);

  const tool = await signInFrom(world, 'deploy');
  await press(page, 'Sign out everywhere');
  await press(page, 'Sign out everywhere');
  await page.waitForURL(`${url}/login?next=*`);
  await hasEnded(t, world, tool);
  t.equal(live(await row()).length, 0);
  await page.goto(`${url}/account`);
  await page.waitForURL(`${url}/login?next=*`);
});

t.test('this device has a button too', async (t) => {
  const { open, row, url } = await accountPage(t);
  const page = await open();
  await press(page, 'Sign out this device');
  await page.waitForURL(`${url}/login?next=*`);
  // The service may hear of it from the next page.
  while (live(await row()).length > 1) await sleep(5);
  t.match(live(await row()), [{ client: 'test' }]);
});
