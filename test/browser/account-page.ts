import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import type { User } from '../../src/schemas/user.ts';
import { type SignedIn, signedIn } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { type Visited, visited } from './visitor.ts';

export const EMAIL = 'ada@example.com';

export interface AccountPage extends Visited {
  /** Ada's session on another device, whose tokens travel in the body. */
  elsewhere: SignedIn;
  /** Her row. Throws if it is gone. */
  row(): Promise<User>;
  change(changes: Partial<User>): Promise<void>;
  /** A new browser in which she has signed in, with her account open. */
  open(options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
}

/** Fills in the sign-in page. */
export async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Email address').fill(EMAIL);
  await page.locator('#password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** The service with Ada's account, and its page. */
export async function accountPage(
  t: Test,
  { changes = {}, ...options }: Parameters<typeof visited>[1] & { changes?: Partial<User> } = {},
): Promise<AccountPage> {
  const world = await visited(t, options);
  const { users } = world.context;
  const elsewhere = await signedIn(world, EMAIL, { name: 'Ada', ...changes });
  const row = async () => {
    const user = await users.findById(elsewhere.id);
    if (user === undefined) throw new Error('the row is gone');
    return user;
  };
  return {
    ...world,
    elsewhere,
    row,
    change: async (later) => {
      await users.change(elsewhere.id, (user) => ({
        user: { ...user, ...later },
        result: undefined,
      }));
    },
    open: async (settings) => {
      const page = await world.visitor(settings);
      await page.goto(`${world.url}/account`);
      await page.waitForURL(`${world.url}/login?next=*`);
      await signIn(page);
      await page.waitForURL(`${world.url}/account`);
      await page.getByRole('heading', { name: 'Profile' }).waitFor();
      return page;
    },
  };
}

/** The open dialog, or else the page. */
const front = async (page: Page) => {
  const dialog = page.locator('dialog[open]');
  return (await dialog.count()) > 0 ? dialog : page.locator('body');
};

export const press = async (page: Page, name: string) =>
  (await front(page)).getByRole('button', { name, exact: true }).click();

/** Fills in a field of the open dialog. */
export const fill = (page: Page, label: string, text: string) =>
  page.locator('dialog').getByRole('textbox', { name: label, exact: true }).fill(text);

/** Types the current password into the open dialog, and sends it. */
export async function prove(page: Page, action: string, password = PASSWORD): Promise<void> {
  await fill(page, 'Password', password);
  await press(page, action);
}

/** The text beside the field that has the focus: its hint, and its error. */
export async function besideFocus(page: Page): Promise<string> {
  const focused = page.locator('dialog [aria-invalid=true]:focus');
  await focused.waitFor();
  const ids = (await focused.getAttribute('aria-describedby')) ?? '';
  const texts = ids.split(' ').map((id) => page.locator(`#${id}`).textContent());
  return (await Promise.all(texts)).join(' ');
}

/** Waits until the list of the devices says so of this one, which is its first. */
export const saidOfThisDevice = (page: Page, text: string) =>
  page.locator('#devices li').first().getByText(text).waitFor();

/** Waits until the page says this. */
export const said = (page: Page, text: string) =>
  page.locator('#notices').getByText(text).waitFor();
