import type { Page } from 'playwright-core';
import type { Session } from '../../src/schemas/user.ts';
import { codeAt } from '../authenticator.ts';
import { signedIn } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { fill, press, prove } from './account-page.ts';
import { virtualAuthenticator } from './virtual-authenticator.ts';
import type { Visited } from './visitor.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** The other devices in the picture, and how long ago each was used (ms). */
const DEVICES: [client: string, since: number, used: number][] = [
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Vers',
    12 * DAY,
    25 * MINUTE,
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
    9 * DAY,
    2 * DAY,
  ],
  ['Harbour for Android 4.2', 3 * DAY, 5 * 60 * MINUTE],
];

/** The passkeys in the picture: whether they are synced, and how long ago each was made and used (ms). */
const PASSKEYS: [name: string, isSynced: boolean, made: number, used: number][] = [
  ['My phone', true, 40 * DAY, 25 * MINUTE],
  ['Security key', false, 9 * DAY, 2 * DAY],
];

/** Opens the account of somebody who has been here for a while. */
async function openAccount(page: Page, service: Visited, email: string): Promise<void> {
  const { url, clock, context } = service;
  const now = clock.now;
  const { id } = await signedIn(service, email, {
    name: 'Ada Lovelace',
    email_verified_at: now,
    created_at: now - 400 * DAY,
  });
  await page.clock.setFixedTime(now + MINUTE / 2);
  await page.goto(`${url}/login?next=/account`);
  await page.getByLabel('Email address').fill(email);
  await page.locator('#password').fill(PASSWORD);
  await press(page, 'Sign in');
  await page.waitForURL(`${url}/account`);
  await context.users.change(id, (user) => {
    const [other, here] = user.sessions as [Session, Session];
    const others = DEVICES.map(([client, since, used], index) => ({
      ...other,
      id: `device-${index}`,
      client,
      created_at: now - since,
      rotated_at: now - used,
    }));
    const passkeys = PASSKEYS.map(([name, backed_up, made, used]) => ({
      ...{ id: name, public_key: '', counter: 0, transports: ['internal'], used: [] },
      ...{ name, backed_up, created_at: now - made, last_used_at: now - used },
    }));
    const identity_1 = `https://quayside.example.com|${email}`;
    const sessions = [here, ...others];
    return { user: { ...user, sessions, passkeys, identity_1 }, result: undefined };
  });
  await page.reload();
  await page.getByText('Harbour for Android').waitFor();
}

/** Where they are taken on a desk and on a phone: each has an account of its own. */
const emailOn = (page: Page) =>
  (page.viewportSize()?.width ?? 0) > 600 ? 'ada@example.org' : 'ada@example.net';

/** The pictures of `/account`, one after another. */
export const ACCOUNT_PICTURES: {
  name: string;
  arrive(page: Page, service: Visited): Promise<void>;
}[] = [
  {
    name: 'account',
    arrive: (page, service) => openAccount(page, service, emailOn(page)),
  },
  {
    name: 'account-password',
    arrive: async (page, service) => {
      await openAccount(page, service, `password.${emailOn(page)}`);
      await press(page, 'Change password');
      await fill(page, 'Current password', 'correct horse');
      await fill(page, 'New password', 'a lantern in the rainy harbour');
      await press(page, 'Change password');
      await page.getByText('This is not your current password.').waitFor();
      await page.setViewportSize({ width: page.viewportSize()?.width ?? 0, height: 820 });
    },
  },
  {
    name: 'account-second-factor',
    arrive: async (page, service) => {
      await openAccount(page, service, `setup.${emailOn(page)}`);
      await press(page, 'Set up');
      await prove(page, 'Continue');
      await page.locator('.secret').waitFor();
      await page.setViewportSize({ width: page.viewportSize()?.width ?? 0, height: 820 });
    },
  },
  {
    name: 'account-recovery-codes',
    arrive: async (page, service) => {
      await openAccount(page, service, `codes.${emailOn(page)}`);
      await press(page, 'Set up');
      await prove(page, 'Continue');
      const secret = String(await page.locator('.secret').textContent()).replaceAll(' ', '');
      await fill(page, 'Code from the app', codeAt(secret, service.clock.now));
      await press(page, 'Turn on');
      await page.locator('.codes').waitFor();
      await page.setViewportSize({ width: page.viewportSize()?.width ?? 0, height: 820 });
    },
  },
  {
    name: 'account-step-up',
    arrive: async (page, service) => {
      await virtualAuthenticator(page);
      await openAccount(page, service, `step-up.${emailOn(page)}`);
      // The proof of the sign-in is too old then, and the access token is not.
      service.clock.advance(899_000);
      await page.reload();
      await page.getByText('Harbour for Android').waitFor();
      service.clock.advance(2_000);
      await press(page, 'Add a passkey');
      await page.getByText('Confirm that it is you').waitFor();
      await page.mouse.move(0, 0);
      await page.setViewportSize({ width: page.viewportSize()?.width ?? 0, height: 820 });
    },
  },
];
