import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { Session, User } from '../../src/schemas/user.ts';
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
  await page.getByRole('button', { name: 'Cancel' }).and(page.locator(':focus')).waitFor();
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

  const tablet = await signInFrom(world, 'tablet');
  await page.reload();
  await page.getByRole('button', { name: 'Sign out tablet' }).waitFor();
  const later = await signInFrom(world, 'later');
  await press(page, 'Sign out other devices');
  await press(page, 'Sign them out');
  await said(page, 'All your other devices are signed out.');
  await hasEnded(t, world, tablet);
  await hasEnded(t, world, later);

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

/** The client of a session, what the page calls it, and what else it shows of it. */
const CLIENTS: [client: string, name: string, rest: string | undefined][] = [
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Sa',
    'Browser on Windows',
    '(Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Sa',
  ],
  [
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36',
    'Browser on Android',
    '(Linux; Android 15; Pixel 9) AppleWebKit/537.36',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Firefox on Mac',
    '(Macintosh; Intel Mac OS X 10.15; rv:145.0) Firefox/145.0',
  ],
  ['Mozilla/5.0 (PlayStation 5)', 'Browser', '(PlayStation 5)'],
  ['curl/8.5.0', 'curl/8.5.0', undefined],
  ['  ', 'Unknown device', undefined],
];
/** How long ago a session was used (ms), in the same order. */
const AGO: [number, string][] = [
  [-60_000, 'just now'],
  [59_000, 'just now'],
  [25 * 60_000, '25 minutes ago'],
  [3_600_000, '1 hour ago'],
  [86_400_000, 'yesterday'],
  [12 * 86_400_000, '12 days ago'],
];

t.test('devices and times have names that people use', async (t) => {
  const { open, row, change } = await accountPage(t);
  const page = await open();
  const now = Date.now();
  await page.clock.setFixedTime(now);
  const [, here] = (await row()).sessions as [Session, Session];
  const others = CLIENTS.map(([client], index) => ({
    ...here,
    id: `other-${index}`,
    client,
    rotated_at: now - Number(AGO[index]?.[0]),
  }));
  await change({ sessions: [here, ...others] });
  await page.reload();
  for (const [index, [client, name, rest]] of CLIENTS.entries()) {
    const item = page.locator(`#device-other-${index}`);
    t.equal(await item.locator('.name').textContent(), name);
    t.same(await item.locator('.client').allTextContents(), rest === undefined ? [] : [rest]);
    t.equal(await item.locator('time').last().textContent(), AGO[index]?.[1], client);
  }
});
