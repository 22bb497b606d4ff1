import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import type { Test } from 'tap';

/** Unpacked once: a file that is being written cannot be run. */
const path = chromium.executablePath();

/** A real Chromium, closed when the test ends. */
export async function openChromium(t: Test): Promise<Browser> {
  const browser = await playwright.launch({
    executablePath: await path,
    headless: true,
    args: [
      '--headless=shell',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}
