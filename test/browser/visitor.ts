import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { openChromium } from '../chromium.ts';
import { freePort } from '../free-port.ts';
import { type Mailbox, mailbox } from '../mailbox.ts';
import { type TestApp, testApp } from '../test-app.ts';
import { listen } from './looks.ts';

export interface Visited extends TestApp {
  box: Mailbox;
  /** The address of the service, which is its ISSUER. */
  url: string;
  browser: Browser;
  /** What the pages of all visitors have complained about: must be empty at the end of a test. */
  complaints: string[];
  /** A new browser context with one page. */
  visitor(options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
}

/** Holds the next request to an address that matches, until `letGo` is called. */
export async function held(page: Page, pattern: string): Promise<{ letGo: () => void }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(
    pattern,
    async (route) => {
      await promise;
      await route.continue();
    },
    { times: 1 },
  );
  return { letGo: resolve };
}

/** Tries to leave the open dialog: with its button, and with two Escapes, of which no page can stop the second. */
export async function tryToLeave(page: Page, button: string): Promise<void> {
  const dialog = page.locator('dialog[open]').last();
  await dialog.locator('form[aria-busy=true]').waitFor();
  await dialog.getByRole('button', { name: button, exact: true }).dispatchEvent('click');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
}

/** What a field says about itself, as a screen reader reads it. */
export const stateOf = (page: Page, selector: string) =>
  page.locator(selector).evaluate((field) => ({
    isInvalid: field.getAttribute('aria-invalid') === 'true',
    description: (field.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id: string) => field.ownerDocument.getElementById(id)?.textContent)
      .join(' '),
    hasFocus: field === field.ownerDocument.activeElement,
  }));

/** The service with its own pages on a real port, its mail, and a browser. `path` is that of the ISSUER. */
export async function visited(
  t: Test,
  { path = '', env = {} }: { path?: string; env?: Record<string, string> } = {},
): Promise<Visited> {
  const port = await freePort();
  const box = await mailbox(t);
  const url = `http://localhost:${port}${path}`;
  const app = await testApp(t, {
    env: { ISSUER: url, MAIL_URL: box.url, SIGN_UP: 'verified', ...env },
  });
  await app.app.listen({ host: '127.0.0.1', port });
  const browser = await openChromium(t);
  const complaints: string[] = [];
  const visitor: Visited['visitor'] = async (options) => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await listen(page, complaints);
    return page;
  };
  return { ...app, box, url, browser, complaints, visitor };
}
