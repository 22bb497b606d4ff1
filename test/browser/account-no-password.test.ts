import t from 'tap';
import { mailedCode } from '../mail-codes.ts';
import { accountPage, press, said } from './account-page.ts';
import { looksRight } from './looks.ts';
import { virtualAuthenticator } from './virtual-authenticator.ts';

t.test('a user without a password learns how to choose one, and can do the rest', async (t) => {
  const world = await accountPage(t, { changes: { email_verified_at: 1 } });
  const page = await world.open();
  await virtualAuthenticator(page);
  await world.change({ password_hash: null });
  await page.reload();
  await page.getByText('You have no password yet.').waitFor();
  await looksRight(t, page, 'account without a password');
  const link = page.getByRole('link', { name: 'Choose a password' });
  t.equal(await link.getAttribute('href'), `${world.url}/forgot-password`);
  t.equal(await page.getByRole('button', { name: 'Change password' }).isVisible(), false);

  for (const action of ['Change address', 'Set up', 'Delete account']) {
    await press(page, action);
    await page.getByRole('heading', { name: 'Choose a password first' }).waitFor();
    t.equal(await page.locator('dialog input').count(), 0, action);
    await looksRight(t, page, action);
    await press(page, 'Cancel');
  }

  // Nothing is left to prove on this page: a new session has a new proof.
  world.clock.advance(899_000);
  await page.reload();
  world.clock.advance(2_000);
  await press(page, 'Add a passkey');
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  t.equal(await page.locator('dialog input').count(), 0);
  await looksRight(t, page, 'nothing to prove');
  await press(page, 'Cancel');
  await press(page, 'Add a passkey');
  await press(page, 'Sign out and sign in again');
  await page.waitForURL(`${world.url}/login?next=%2Faccount`);
  world.clock.now = Date.now();
  await page.getByLabel('Email address').fill('ada@example.com');
  await press(page, 'Sign in with a code by mail');
  await page.getByLabel('Code from the email').fill(await mailedCode(world.box, 'ada@example.com'));
  await press(page, 'Sign in');
  await page.waitForURL(`${world.url}/account`);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey');

  await press(page, 'Delete account');
  await press(page, 'Choose a password');
  await page.waitForURL(`${world.url}/forgot-password`);
  t.same(world.complaints, []);
});
