import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { mailedCode } from '../mail-codes.ts';
import { outsideProvider, slotOf } from '../oidc-provider.ts';
import {
  type AccountPage,
  accountPage,
  EMAIL,
  press,
  said,
  saidOfThisDevice,
} from './account-page.ts';
import { virtualAuthenticator } from './virtual-authenticator.ts';

const DAY = 86_400_000;
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';

/** As high as the pages: nothing scrolls, and no notice lies over a section. */
const PHONE = { viewport: { width: 390, height: 3_000 }, isMobile: true };

/** One step: the pieces of the page that show it, one below the other. */
type Step = Buffer[];

/** @param selectors of what is to be seen */
async function step(page: Page, ...selectors: string[]): Promise<Step> {
  const pieces: Buffer[] = [];
  for (const selector of selectors)
    pieces.push(await page.locator(selector).screenshot({ caret: 'hide' }));
  return pieces;
}

/** Ada's account, at the real time, in which she signed in on another device days ago. */
async function start(t: Test, env: Record<string, string> = {}) {
  const world = await accountPage(t, {
    env: { PRODUCT_NAME: 'Harbour', ...env },
    changes: { name: 'Ada Lovelace', email_verified_at: 1 },
  });
  world.clock.now = Date.now();
  const { sessions } = await world.row();
  const past = { created_at: world.clock.now - 9 * DAY, rotated_at: world.clock.now - 2 * DAY };
  await world.change({
    sessions: sessions.map((session) => ({ ...session, ...past, client: FIREFOX })),
  });
  return world;
}

async function signOut(page: Page, { url }: AccountPage) {
  await press(page, 'Sign out');
  await page.waitForURL(`${url}/login?next=*`);
}

async function withPasskey(t: Test): Promise<Step[]> {
  const world = await start(t);
  const page = await world.open(PHONE);
  const device = await virtualAuthenticator(page);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey');
  const added = await step(page, '#notices', '#passkeys');
  // The sign-in page would use the passkey at once.
  await device.answers(false);
  await signOut(page, world);
  const signIn = page.getByRole('button', { name: 'Sign in with a passkey' });
  await signIn.focus();
  const offered = await step(page, '.card');
  await device.answers(true);
  await signIn.click();
  await saidOfThisDevice(page, 'with a passkey');
  return [added, offered, await step(page, '#passkeys', '#devices')];
}

async function withProvider(t: Test): Promise<Step[]> {
  const provider = await outsideProvider(t);
  const world = await start(t, slotOf(provider, '1', { NAME: 'Quayside' }));
  provider.serve(world.url);
  const page = await world.open(PHONE);
  await press(page, 'Link Quayside');
  await said(page, 'You can now sign in with Quayside.');
  const linked = await step(page, '#notices', '#identities');
  await signOut(page, world);
  const goOn = page.getByRole('link', { name: 'Continue with Quayside' });
  await goOn.focus();
  const offered = await step(page, '.card');
  await goOn.click();
  await saidOfThisDevice(page, 'with an account elsewhere');
  return [linked, offered, await step(page, '#identities', '#devices')];
}

async function withMailCode(t: Test): Promise<Step[]> {
  const world = await start(t);
  const page = await world.visitor(PHONE);
  await page.goto(`${world.url}/login`);
  await page.locator('#email').fill(EMAIL);
  await page.getByRole('button', { name: 'Sign in with a code by mail' }).focus();
  const offered = await step(page, '.card');
  await press(page, 'Sign in with a code by mail');
  await page.locator('#mail-code').fill(await mailedCode(world.box, EMAIL));
  const typed = await step(page, '.card');
  await press(page, 'Sign in');
  await saidOfThisDevice(page, 'with a code by mail');
  return [offered, typed, await step(page, '#devices')];
}

/** The walks of `npm run screenshots`: each way in, from the page before it to the account after it. */
export const WALKS: { name: string; steps(t: Test): Promise<Step[]> }[] = [
  { name: 'walk-passkey', steps: withPasskey },
  { name: 'walk-provider', steps: withProvider },
  { name: 'walk-mail-code', steps: withMailCode },
];
