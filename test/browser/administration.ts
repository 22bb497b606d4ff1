import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { admin, type SignedIn, signedIn } from '../people.ts';
import { PASSWORD, type TestApp } from '../test-app.ts';
import { type Visited, visited } from './visitor.ts';

export interface Administration extends Visited {
  /** The administrator root@example.com. */
  root: SignedIn;
  /** A page at `path` of somebody who is signed in, with the cookies that a sign-in sets. */
  pageOf(email?: string, options?: { path?: string; viewport?: Viewport }): Promise<Page>;
}

interface Viewport {
  width: number;
  height: number;
}

/** The service with an administrator, and browsers that are signed in. */
export async function administration(
  t: Test,
  options: Parameters<typeof visited>[1] = {},
): Promise<Administration> {
  const service = await visited(t, options);
  const root = await admin(service);
  const pageOf: Administration['pageOf'] = async (email = 'root@example.com', wanted = {}) => {
    const { path = '/admin', viewport = { width: 1280, height: 900 } } = wanted;
    const page = await service.visitor({ viewport, locale: 'en-GB', timezoneId: 'UTC' });
    await page.goto(`${service.url}/login`);
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: PASSWORD, transport: 'cookie' }),
    };
    const signIn = `fetch('${service.url}/v1/login', ${JSON.stringify(init)}).then(({ status }) => status)`;
    t.equal(await page.evaluate(signIn), 200, `${email} signs in`);
    await page.goto(`${service.url}${path}`);
    return page;
  };
  return { ...service, root, pageOf };
}

/** Whether an access token still opens a route. */
export const opens = async ({ as }: Pick<TestApp, 'as'>, token: string): Promise<boolean> =>
  (await as(token, { url: '/v1/whoami' })).statusCode === 200;

/** So many users with addresses from `user001@example.com` on, and names. */
export async function crowd(service: Pick<TestApp, 'context'>, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const local = `user${String(number).padStart(3, '0')}`;
    await signedIn(service, `${local}@example.com`, { name: `User ${number}` });
  }
}

export const rowOf = (page: Page, email: string) =>
  page.locator('#users-rows tr').filter({ has: page.getByText(email, { exact: true }) });

/** Waits until the focus is on this element: it returns from a dialog after the event of its end. */
export const focusIsOn = async (page: Page, selector: string): Promise<void> => {
  await page.locator(`${selector}:focus`).waitFor();
};

/** Opens the dialog of a user. */
export async function openUser(page: Page, email: string) {
  await rowOf(page, email).getByRole('button').click();
  const panel = page.locator('dialog#user');
  await panel.waitFor();
  return panel;
}

/** Presses the button of the question that is open, and waits until it has closed. */
export async function agree(page: Page, fields: Record<string, string> = {}): Promise<void> {
  const question = page.locator('dialog#question');
  for (const [name, value] of Object.entries(fields))
    await question.locator(`[name=${name}]`).fill(value);
  await question.locator('.button.danger').click();
  await question.waitFor({ state: 'detached' });
}
