import t from 'tap';
import { PASSWORD } from '../test-app.ts';
import { accountPage, besideFocus, fill, press, prove, said, signIn } from './account-page.ts';
import { looksRight } from './looks.ts';

const HOSTILE = {
  'an image': '<img src=x onerror="window.isBroken = true">',
  'an end of a script': '</script><script>window.isBroken = true</script>',
  'a template': '{{ISSUER}} &lt;b&gt; %s \\',
  'right to left': '\u202Egro.elpmaxe@live\u202D \u2067\u05D0\u05D1',
  '200 characters': 'w'.repeat(200),
};

for (const [what, text] of Object.entries(HOSTILE))
  t.test(`${what} in a name, an address and a client stays text, and fits`, async (t) => {
    const { open, change, row } = await accountPage(t, { path: '/auth' });
    const page = await open();
    const { sessions } = await row();
    await change({
      name: text,
      email: text,
      sessions: sessions.map((session) => ({ ...session, client: text })),
    });
    await page.reload();
    await page.locator('.facts').getByText(text, { exact: true }).first().waitFor();
    t.equal(await page.locator('.facts bdi').nth(0).textContent(), text);
    t.equal(await page.locator('.facts bdi').nth(1).textContent(), text);
    t.equal(await page.locator('.device bdi').first().textContent(), text);
    await page.setViewportSize({ width: 320, height: 800 });
    await press(page, 'Change address');
    const overflow =
      "['scrollWidth', 'clientWidth'].map((edge) => document.querySelector('dialog')[edge])";
    const [inner, outer] = await page.evaluate<[number, number]>(overflow);
    t.ok(inner <= outer, 'it fits into a dialog');
    await press(page, 'Cancel');
    await page.getByRole('button', { name: `Sign out ${text}`, exact: true }).click();
    await said(page, 'is signed out.');
    await looksRight(t, page, what);
    t.equal(await page.evaluate('window.isBroken'), undefined);
    t.equal(await page.locator('main img, main script').count(), 0);
  });

t.test('a page without a connection says so, and goes on with it', async (t) => {
  const { open, url } = await accountPage(t);
  const page = await open();
  const context = page.context();
  await context.setOffline(true);
  const fault = page.locator('#fault');
  await fault.getByText('You are offline').waitFor();
  await looksRight(t, page, 'account, offline');
  await press(page, 'Change name');
  await fill(page, 'Name', 'Countess');
  await press(page, 'Save');
  await page.getByRole('dialog').getByText('cannot be reached').waitFor();
  t.equal(await page.locator('#dialog-name').inputValue(), 'Countess', 'what was typed stays');
  await context.setOffline(false);
  await fault.waitFor({ state: 'hidden' });
  await press(page, 'Save');
  await said(page, 'Your name is saved.');

  await page.route('**/v1/me', (route) => route.fulfill({ status: 503 }));
  await page.goto(`${url}/account`);
  await fault.getByText('busy').waitFor();
  await looksRight(t, page, 'account, not loaded');
  await page.unroute('**/v1/me');
  await press(page, 'Try again');
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
  t.equal(await fault.isVisible(), false);
});

t.test('a device whose end the service cannot note stays in the list', async (t) => {
  const { open } = await accountPage(t);
  const page = await open();
  await page.route('**/v1/me/sessions/*', (route) => route.abort());
  await press(page, 'Sign out test');
  await said(page, 'cannot be reached');
  t.equal(await page.locator('.device').count(), 2);
});

t.test('a session that was ended elsewhere leads to the sign-in page, and back', async (t) => {
  const { open, row, change, url } = await accountPage(t);
  const page = await open();
  await change({ sessions: [] });
  await press(page, 'Change name');
  await fill(page, 'Name', 'Countess');
  await press(page, 'Save');
  await page.waitForURL(`${url}/login?next=*`);
  t.equal((await row()).name, 'Ada');
  await signIn(page);
  await page.waitForURL(`${url}/account`);
});

t.test('too many wrong passwords say how long to wait', async (t) => {
  const { open } = await accountPage(t);
  const page = await open();
  await press(page, 'Set up');
  for (let tries = 0; tries < 5; tries += 1) {
    await prove(page, 'Continue', 'not my password at all');
    t.match(await besideFocus(page), /not your current password/);
  }
  await prove(page, 'Continue', PASSWORD);
  await page
    .getByRole('alert')
    .getByText(/Too many attempts.*in \d+ seconds/)
    .waitFor();
});

t.test('a dialog that was closed can be opened again at once', async (t) => {
  const { open } = await accountPage(t);
  const page = await open();
  // A busy browser sends the event `close` long after the dialog is closed: here, not before the second press.
  for (const leave of ["dialog.querySelector('button.plain').click()", 'dialog.requestClose()']) {
    const isOpen = await page.evaluate(`(async () => {
      const opener = [...document.querySelectorAll('button')].find(
        ({ textContent }) => textContent === 'Change name',
      );
      opener.focus();
      opener.click();
      const dialog = document.querySelector('dialog');
      ${leave};
      const hasFocus = document.activeElement === opener;
      for (let turn = 0; turn < 20; turn += 1) await undefined;
      opener.click();
      return [hasFocus, document.querySelectorAll('dialog[open]').length];
    })()`);
    t.same(isOpen, [true, 1], leave);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
});

t.test('the whole page works by keyboard', async (t) => {
  const { open, row } = await accountPage(t);
  const page = await open();
  const focusOn = async (text: string) => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<string>('document.activeElement.textContent');
      if (focused === text) return;
    }
    throw new Error(`Tab does not reach ${text}`);
  };
  await focusOn('Change name');
  await page.keyboard.press('Enter');
  t.equal(await page.evaluate('document.activeElement.name'), 'name', 'the field has the focus');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Countess');
  await page.keyboard.press('Escape');
  t.equal(await page.evaluate('document.activeElement.textContent'), 'Change name');
  t.equal((await row()).name, 'Ada');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Countess');
  await page.keyboard.press('Enter');
  await said(page, 'Your name is saved.');
  t.equal(await page.evaluate('document.activeElement.textContent'), 'Change name');
  t.equal((await row()).name, 'Countess');
  for (const text of ['Change password', 'Set up', 'Sign out everywhere', 'Delete account'])
    await focusOn(text);
  t.same(
    await page.getByRole('heading', { level: 2 }).allTextContents(),
    ['Profile', 'Password', 'Passkeys', 'Second factor', 'Devices', 'Delete account'],
    'a screen reader finds the sections by their headings',
  );
});
