import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD } from '../test-app.ts';
import {
  accountPage,
  besideFocus,
  EMAIL,
  fill,
  press,
  prove,
  said,
  signIn,
} from './account-page.ts';
import { looksRight } from './looks.ts';

const NEXT_PASSWORD = 'a lantern in the rainy harbour';

t.test(
  'a stranger who opens the account signs in first, below the path of the service',
  async (t) => {
    const { open, url } = await accountPage(t, { path: '/auth' });
    const page = await open();
    t.equal(page.url(), `${url}/account`);
    t.equal(await page.locator('#lead').textContent(), `Signed in as ${EMAIL}`);
  },
);

t.test('a user changes the name, and removes it', async (t) => {
  const { open, row } = await accountPage(t);
  const page = await open();
  await press(page, 'Change name');
  await fill(page, 'Name', '  Ada King ');
  await press(page, 'Save');
  await said(page, 'Your name is saved.');
  t.equal((await row()).name, 'Ada King');
  await page.locator('.facts').getByText('Ada King').waitFor();

  await press(page, 'Change name');
  t.equal(await page.locator('#notices').textContent(), '', 'what is past is gone');
  await fill(page, 'Name', 'a\u2028b');
  await press(page, 'Save');
  t.match(await besideFocus(page), /Name must be a single line of text\./);
  t.equal((await row()).name, 'Ada King');
  await fill(page, 'Name', '');
  await press(page, 'Save');
  await page.locator('.facts').getByText('Not set').waitFor();
  t.equal((await row()).name, null);
});

t.test('of two loads at the same time, the later one counts', async (t) => {
  const { open, change } = await accountPage(t);
  const page = await open();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
  await page.route(
    '**/v1/me',
    async (route) => {
      const response = await route.fetch();
      read();
      await promise;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  const reload = () => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await reload();
  await isRead;
  await change({ name: 'Countess' });
  await reload();
  await page.locator('.facts').getByText('Countess').waitFor();
  const late = page.waitForResponse('**/v1/me');
  resolve();
  await (await late).finished();
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 50))');
  t.match(await page.locator('.facts').textContent(), /Countess/);
});

t.test('a new address counts when its link is opened, and the old one is told', async (t) => {
  const { open, row, box, post } = await accountPage(t);
  const page = await open();
  await press(page, 'Change address');
  await fill(page, 'New email address', 'not an address');
  await prove(page, 'Send the link', 'not my password at all');
  t.match(await besideFocus(page), /such as ada@example.com/);
  await fill(page, 'New email address', 'countess@example.org');
  await press(page, 'Send the link');
  t.match(await besideFocus(page), /not your current password/);
  await looksRight(t, page, 'account, address');
  t.equal(await box.settled(), 0, 'nothing was sent');

  await prove(page, 'Send the link');
  await said(page, 'We have sent a link to countess@example.org.');
  const token = await box.token('countess@example.org');
  t.match((await box.next(EMAIL)).mail.subject, /address/);
  t.equal((await row()).email, EMAIL);
  t.equal((await post('/v1/email/confirm', { token })).statusCode, 204);
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.locator('.facts').getByText('countess@example.org').waitFor();
  t.match(await page.locator('.facts').textContent(), /Confirmed/);
});

t.test('a user has the present address confirmed', async (t) => {
  const changes = { email_verified_at: null };
  const { open, row, box, post } = await accountPage(t, { changes });
  const page = await open();
  await press(page, 'Confirm this address');
  await prove(page, 'Send the link');
  await said(page, `We have sent a link to ${EMAIL}.`);
  const token = await box.token(EMAIL);
  t.equal((await row()).email_verified_at, null);
  t.equal((await post('/v1/email/confirm', { token })).statusCode, 204);
  t.equal(await box.settled(), 1, 'nobody else is told');
  await page.reload();
  await page.locator('.facts').getByText('Confirmed', { exact: true }).waitFor();
  t.equal(await page.getByRole('button', { name: 'Confirm this address' }).count(), 0);
});

t.test('a new password signs out the other devices, and this page goes on', async (t) => {
  const { open, row, box, refresh, login, elsewhere } = await accountPage(t);
  const page = await open();
  const { password_hash } = await row();
  await press(page, 'Change password');
  t.equal(
    await page.locator('dialog [autocomplete=username]').inputValue(),
    EMAIL,
    'a password manager learns whose it is',
  );
  for (const [label, autocomplete] of [
    ['Current password', 'current-password'],
    ['New password', 'new-password'],
  ] as const) {
    const field = page.getByRole('textbox', { name: label, exact: true });
    t.equal(await field.getAttribute('autocomplete'), autocomplete);
  }
  await fill(page, 'Current password', PASSWORD);
  await fill(page, 'New password', 'short');
  await press(page, 'Change password');
  t.match(await besideFocus(page), /Use at least 15 characters/);
  await fill(page, 'New password', 'passwordpassword');
  await press(page, 'Change password');
  t.match(await besideFocus(page), /common|guess/i);
  await fill(page, 'Current password', 'not my password at all');
  await fill(page, 'New password', NEXT_PASSWORD);
  await press(page, 'Change password');
  t.match(await besideFocus(page), /not your current password/);
  t.equal((await row()).password_hash, password_hash);
  t.equal(await box.settled(), 0);

  await fill(page, 'Current password', PASSWORD);
  await press(page, 'Change password');
  await said(page, 'Your password is changed. All other devices were signed out.');
  t.equal(await page.locator('input').count(), 0, 'what was typed has left the page');
  refused(t, await refresh(elsewhere.refresh_token), 401, 'refresh_invalid');
  refused(t, await login(EMAIL), 401, 'invalid_credentials');
  t.equal((await login(EMAIL, NEXT_PASSWORD)).statusCode, 200);
  t.match((await box.next(EMAIL)).mail.subject, /password was changed/);
  await press(page, 'Change name');
  await fill(page, 'Name', 'Countess');
  await press(page, 'Save');
  await said(page, 'Your name is saved.');
});

t.test('a user deletes the account, and every tab leaves it', async (t) => {
  const { open, row, box, login, url, refresh, elsewhere, context } = await accountPage(t);
  const page = await open();
  const other = await page.context().newPage();
  await other.goto(`${url}/account`);
  await other.getByRole('heading', { name: 'Profile' }).waitFor();
  await press(page, 'Delete account');
  const dialog = page.getByRole('dialog');
  await fill(page, 'Password', 'not my password at all');
  await press(page, 'Delete account');
  t.match(await besideFocus(page), /Tick this box/);
  await looksRight(t, page, 'account, deletion');
  await dialog.getByLabel('Delete my account').check();
  await press(page, 'Delete account');
  t.match(await besideFocus(page), /not your current password/);
  t.equal((await row()).status, 'active');

  await fill(page, 'Password', PASSWORD);
  await press(page, 'Delete account');
  await page.getByRole('heading', { name: 'Your account is deleted' }).waitFor();
  await looksRight(t, page, 'account, deleted');
  await other.waitForURL(`${url}/login?next=*`);
  t.match(await context.users.findById(elsewhere.id), { status: 'deleted', email: null });
  refused(t, await login(EMAIL), 401, 'invalid_credentials');
  refused(t, await refresh(elsewhere.refresh_token), 401, 'refresh_invalid');
  t.match((await box.next(EMAIL)).mail.subject, /deleted/);
  t.notMatch(await page.content(), EMAIL);
});

t.test('the last administrator is told why the account stays', async (t) => {
  const { open, row } = await accountPage(t, { changes: { roles: ['admin'] } });
  const page = await open();
  await press(page, 'Delete account');
  const dialog = page.getByRole('dialog');
  await fill(page, 'Password', PASSWORD);
  await dialog.getByLabel('Delete my account').check();
  await press(page, 'Delete account');
  await dialog.getByRole('alert').getByText('only administrator').waitFor();
  t.equal((await row()).status, 'active');
});

t.test('a sign-out is heard in the other tab, and so is a sign-in', async (t) => {
  const { open, url, row } = await accountPage(t);
  const page = await open();
  const other = await page.context().newPage();
  await other.goto(`${url}/account`);
  await other.getByRole('heading', { name: 'Profile' }).waitFor();
  await press(other, 'Set up');
  await prove(other, 'Continue');
  await other.locator('.secret').waitFor();
  await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${url}/login?next=*`);
  await other.waitForURL(`${url}/login?next=*`);
  const active = async () =>
    (await row()).sessions.filter(({ ended_at }) => ended_at === undefined).length;
  // The service may hear of it only when the sign-in page has loaded.
  for (let look = 0; look < 500 && (await active()) !== 1; look += 1) await setTimeout(10);
  t.equal(await active(), 1, 'only the other device is still signed in');
  await signIn(page);
  await page.waitForURL(`${url}/account`);
  await other.waitForURL(`${url}/account`);
});

t.test('a user whose session was copied is warned on the way to the sign-in page', async (t) => {
  const { open, post, clock, url } = await accountPage(t);
  const page = await open();
  const isRefresh = ({ name }: { name: string }) => name.endsWith('refresh');
  let stolen = (await page.context().cookies()).find(isRefresh)?.value;
  for (let theft = 0; theft < 2; theft += 1) {
    const cookie = `__Secure-latchkey_refresh=${stolen}`;
    const answer = await post('/v1/refresh', undefined, { cookie, origin: url });
    t.equal(answer.statusCode, 200);
    stolen = answer.cookies.find(isRefresh)?.value;
  }
  clock.advance(901_000);
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.waitForURL(`${url}/login?next=*`);
  await said(page, 'Somebody else may have used your session');
});

t.test('a tab whose user has changed shows the account of the new one', async (t) => {
  const world = await accountPage(t);
  const page = await world.open();
  await signedIn(world, 'bob@example.com', { name: 'Bob' });
  const other = await page.context().newPage();
  await other.goto(`${world.url}/account`);
  await other.getByRole('heading', { name: 'Profile' }).waitFor();
  const credentials = JSON.stringify({ email: 'bob@example.com', password: PASSWORD });
  await other.evaluate(
    `import('/client.js').then(({ createClient }) => createClient({ url: '/' }).login(${credentials}))`,
  );
  for (const tab of [page, other]) await tab.getByText('Signed in as bob@example.com').waitFor();
  await press(page, 'Change password');
  t.equal(await page.locator('dialog [autocomplete=username]').inputValue(), 'bob@example.com');
});
