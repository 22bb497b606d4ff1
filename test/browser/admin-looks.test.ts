import t from 'tap';
import { newServiceAccount } from '../../src/actions/clients/service-accounts.ts';
import { storedPasskey } from '../passkeys.ts';
import { signedIn } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { administration, focusIsOn, openUser, rowOf } from './administration.ts';
import { looksRight } from './looks.ts';

/** Each as a name, and as the part of an address before the @, written to the table as no request could. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  '{{constructor.constructor("alert(3)")()}}',
  'javascript:alert(4)',
  '\u202Emoc.live@\u202D',
  `${'W'.repeat(200)}`,
  "'; DROP TABLE users; --",
];

t.test('what users and programs are called is text, whatever it contains', async (t) => {
  const service = await administration(t);
  for (const [number, text] of HOSTILE.entries()) {
    await signedIn(service, `${text}${number}@example.com`, { name: text });
    service.clock.advance(1);
    const { account } = newServiceAccount({ name: text, roles: [] }, service.clock.now);
    await service.context.users.insert(account);
  }
  const page = await service.pageOf();
  page.on('dialog', (dialog) => t.fail(`a script ran: ${dialog.message()}`));
  for (const [number, text] of HOSTILE.entries()) {
    const email = `${text}${number}@example.com`;
    await rowOf(page, email).waitFor();
    t.equal(await rowOf(page, email).locator('td bdi').first().textContent(), text);
    const panel = await openUser(page, email);
    t.equal(await panel.locator('h2').textContent(), email);
    await panel.getByRole('button', { name: 'Delete' }).click();
    t.equal(await page.locator('#question label bdi').textContent(), email);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
  }
  await looksRight(t, page, 'hostile names');
  await page.getByRole('link', { name: 'Service accounts' }).click();
  const names = page.locator('#accounts-rows th');
  await names.first().waitFor();
  t.same(await names.allTextContents(), HOSTILE);
  await looksRight(t, page, 'hostile service accounts');
  t.equal(await page.locator('main :is(img, script, iframe)').count(), 0);
  t.same(service.complaints, []);
});

t.test('the page and its dialogs look right and can be read by everybody', async (t) => {
  const service = await administration(t);
  await signedIn(service, 'ada@example.com', { name: 'Ada Lovelace', roles: ['editor', 'author'] });
  await signedIn(service, 'bob@example.com', { status: 'disabled' });
  await signedIn(service, 'eve@example.com', {
    passkeys: [storedPasskey('x')],
    // No longer configured, so its issuer is its name.
    identity_4: `https://${'long-'.repeat(30)}provider.example.com/tenant|eve`,
  });
  const page = await service.pageOf();
  await rowOf(page, 'bob@example.com').waitFor();
  await looksRight(t, page, 'users');
  await page.getByRole('button', { name: 'Invite a user' }).click();
  await page.locator('#invitation-roles').fill('admin');
  await page.keyboard.press('Enter');
  await looksRight(t, page, 'the invitation with its errors');
  await page.keyboard.press('Escape');
  const panel = await openUser(page, 'ada@example.com');
  await looksRight(t, page, 'a user');
  await panel.getByRole('button', { name: 'Delete' }).click();
  await looksRight(t, page, 'a question');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await openUser(page, 'eve@example.com');
  await looksRight(t, page, 'a user with several ways in');
  await page.keyboard.press('Escape');

  await page.getByRole('link', { name: 'Service accounts' }).click();
  await looksRight(t, page, 'no service accounts');
  await page.getByRole('button', { name: 'Create a service account' }).click();
  await looksRight(t, page, 'a new service account');
  await page.locator('#new-account-name').fill('nightly report');
  await page.locator('#new-account-password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('dialog#secret').waitFor();
  await looksRight(t, page, 'a secret');
  t.same(service.complaints, []);
});

t.test('each user is shown from the top, however far down the one before was read', async (t) => {
  const service = await administration(t);
  await signedIn(service, 'ada@example.com');
  await signedIn(service, 'bob@example.com');
  const page = await service.pageOf('root@example.com', { viewport: { width: 390, height: 600 } });
  await (await openUser(page, 'ada@example.com')).getByRole('button', { name: 'Delete' }).focus();
  const scrolled = () => page.locator('dialog#user').evaluate(({ scrollTop }) => scrollTop);
  t.ok((await scrolled()) > 0);
  await page.keyboard.press('Escape');
  await openUser(page, 'bob@example.com');
  t.equal(await scrolled(), 0);
  t.same(service.complaints, []);
});

t.test('beside a long name, a role is in one piece', async (t) => {
  const service = await administration(t);
  const name = 'Wolfeschlegelsteinhausenbergerdorff Adolph Blaine Charles';
  await signedIn(service, 'ada@example.com', { name, roles: ['reports:read'] });
  const page = await service.pageOf();
  const role = rowOf(page, 'ada@example.com').getByText('reports:read');
  t.ok(((await role.boundingBox())?.height ?? 99) < 30);
  t.same(service.complaints, []);
});

t.test('a keyboard alone is enough', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com', { roles: ['editor'] });
  const page = await service.pageOf();
  await rowOf(page, 'ada@example.com').waitFor();
  const press = async (until: string) => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(until)})`)) return;
    }
    t.fail(`Tab does not reach ${until}`);
  };
  await press('#search');
  await page.keyboard.type('ada');
  await page.locator('#users-count').getByText('1 user', { exact: true }).waitFor();
  await press('#users-rows button');
  await page.keyboard.press('Enter');
  await page.locator('dialog#user').waitFor();
  await press('[aria-label="Remove the role editor"]');
  await page.keyboard.press('Enter');
  await press('.button.danger');
  await page.keyboard.press('Enter');
  await page.getByText('The role editor is removed.').waitFor();
  await focusIsOn(page, '#user-email');
  t.same((await service.context.users.findById(ada.id))?.roles, []);
  await page.keyboard.press('Escape');
  await focusIsOn(page, `[data-id="${ada.id}"] button`);
  t.same(service.complaints, []);
});
