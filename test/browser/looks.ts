import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';

const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Dark mode changes nothing but colours. */
const SCHEMES = [
  { colorScheme: 'light', run: 'axe.run()' },
  { colorScheme: 'dark', run: "axe.run({ runOnly: ['color-contrast'] })" },
] as const;
const WIDTHS = [320, 1280];

/** A finding as one line: the rule, where, and why. */
const linesOf = ({ violations }: AxeResults) =>
  violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );

/**
 * Checks the page as it is now, in light and dark, on a small phone and on a desk: axe finds nothing, and nothing is
 * wider than the screen.
 */
export async function looksRight(t: Test, page: Page, name: string): Promise<void> {
  await page.evaluate(AXE);
  for (const { colorScheme, run } of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const what = `${name}, ${colorScheme}, ${width} px`;
      t.same(linesOf(await page.evaluate(run)), [], `${what}: axe`);
      const widest = await page.evaluate<number>('document.documentElement.scrollWidth');
      t.ok(widest <= width, `${what}: no wider than the screen (${widest})`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

/** Collects what the page complains about: errors, warnings, and violations of its content security policy. */
export async function listen(page: Page, complaints: string[]): Promise<void> {
  page.on('console', (message) => {
    const { url } = message.location();
    // The browser logs every answer of 4xx and 5xx; what the page makes of them is for the test.
    if (message.text().startsWith('Failed to load resource') && /\/v1\/|\/account$/.test(url))
      return;
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective))",
  );
}
