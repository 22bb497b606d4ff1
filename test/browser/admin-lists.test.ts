import type { Page } from 'playwright-core';
import t from 'tap';
import { signedIn } from '../people.ts';
import { administration, agree, crowd, focusIsOn, openUser, rowOf } from './administration.ts';

const shown = (page: Page) => page.locator('#users-rows th bdi').allTextContents();

/** Waits for the line above the list, which says how many rows it has. */
const counted = (page: Page, text: string) =>
  page.locator('#users-count').getByText(text, { exact: true }).waitFor();

t.test('the list has pages, and forward, back and a reload find them', async (t) => {
  const service = await administration(t);
  await crowd(service, 120);
  const page = await service.pageOf();
  await counted(page, '50 users on page 1');
  const first = await shown(page);
  t.equal(first.length, 50);
  t.ok(await page.getByRole('button', { name: 'Previous' }).isDisabled());
  await page.getByRole('button', { name: 'Next' }).click();
  await counted(page, '50 users on page 2');
  const second = await shown(page);
  await page.reload();
  await counted(page, '50 users on page 2');
  t.same(await shown(page), second, 'the page survives a reload');
  await page.getByRole('button', { name: 'Next' }).dblclick();
  await counted(page, '21 users on page 3');
  const third = await shown(page);
  t.ok(await page.getByRole('button', { name: 'Next' }).isDisabled());
  await focusIsOn(page, '#users-previous');
  t.equal(new Set([...first, ...second, ...third]).size, 121, 'each user once');
  await page.getByRole('button', { name: 'Previous' }).click();
  await counted(page, '50 users on page 2');
  t.same(await shown(page), second);
  await page.goBack();
  await counted(page, '21 users on page 3');
  await page.goForward();
  await counted(page, '50 users on page 2');
  await page.getByLabel('Search').fill('user00');
  await counted(page, '9 users');
  t.notOk(await page.getByRole('button', { name: 'Next' }).isVisible());
  t.same(service.complaints, []);
});

t.test('the list stays where it is while the other section is shown', async (t) => {
  const service = await administration(t);
  await crowd(service, 60);
  const page = await service.pageOf();
  await counted(page, '50 users on page 1');
  await page.getByRole('button', { name: 'Next' }).click();
  await counted(page, '11 users on page 2');
  const second = await shown(page);
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.getByRole('link', { name: 'Service accounts' }).click();
  await page.getByText('There are no service accounts yet.').waitFor();
  await page.getByRole('link', { name: 'Users' }).click();
  await counted(page, '11 users on page 2');
  t.same(await shown(page), second);
  t.same(requests, [], 'nothing is read again');
  await page.reload();
  await counted(page, '11 users on page 2');
  for (let steps = 0; steps < 3; steps += 1) await page.goBack();
  await counted(page, '50 users on page 1');
  t.same(service.complaints, []);
});

t.test('a search finds what begins with the text, whatever it contains, and is kept', async (t) => {
  const service = await administration(t);
  const addresses = [
    'a%b@example.com',
    'a_b@example.com',
    "o'neil@example.com",
    'axb@example.com',
    'müller@example.com',
    'a+tag@example.com',
    'a&email=root@example.com',
    '字@example.com',
  ];
  for (const address of addresses) await signedIn(service, address);
  const page = await service.pageOf();
  await counted(page, '9 users');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  for (const address of addresses) {
    await page.getByLabel('Search').fill(address.slice(0, -11));
    await rowOf(page, address).waitFor();
    await counted(page, '1 user');
    t.same(await shown(page), [address]);
  }
  for (const text of ['%', '_', '"', "'", '<b>', '\\', 'a%%', '*']) {
    await page.getByLabel('Search').fill(text);
    await counted(page, 'No users');
    t.ok(await page.getByText('No address begins with this.').isVisible(), text);
  }
  await page.getByLabel('Search').fill('');
  await counted(page, '9 users');
  const before = requests.length;
  await page.getByLabel('Search').pressSequentially('a_b', { delay: 10 });
  await page.keyboard.press('Enter');
  await counted(page, '1 user');
  t.equal(requests.length - before, 1, 'one request for what was typed in one go');
  t.equal(new URL(page.url()).search, '?search=a_b');
  await page.reload();
  await counted(page, '1 user');
  t.equal(await page.getByLabel('Search').inputValue(), 'a_b');
  t.same(service.complaints, []);
});

t.test('without a network the list says so, and is read again when there is one', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf();
  await counted(page, '1 user');
  await page.context().setOffline(true);
  await page.getByLabel('Search').fill('zoe');
  const trouble = page.locator('#users-trouble');
  await trouble.waitFor();
  t.match(await trouble.textContent(), /cannot be reached.*Try again/s);
  await page.context().setOffline(false);
  await trouble.waitFor({ state: 'hidden' });
  await counted(page, 'No users');
  t.same(service.complaints, []);
});

t.test('a service that is busy, or counts too many requests, says how long to wait', async (t) => {
  const service = await administration(t, { env: { RATE_LIMIT: '80/1m' } });
  const page = await service.pageOf();
  await counted(page, '1 user');
  const busy = { status: 503, headers: { 'retry-after': '7' }, body: '' };
  await page.route('**/v1/users?*', (route) => route.fulfill(busy), { times: 1 });
  await page.getByLabel('Search').fill('x');
  const trouble = page.locator('#users-trouble');
  await trouble.getByText('The service is busy. Please try again in 7 seconds.').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await counted(page, 'No users');
  for (let tries = 0; tries < 80; tries += 1)
    await fetch(`${service.url}/v1/users`).then((answer) => answer.text());
  await page.getByLabel('Search').fill('y');
  await trouble
    .getByText(/^Too many attempts. Please try again in (1 minute|\d+ seconds)\.$/)
    .waitFor();
  t.same(service.complaints, []);
});

t.test('what somebody else does meanwhile is shown, and not overwritten', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com', { roles: ['editor'] });
  const bob = await signedIn(service, 'bob@example.com');
  const page = await service.pageOf();
  const amend = (payload: object) =>
    service.as(service.root.access_token, {
      method: 'PATCH',
      url: `/v1/users/${ada.id}`,
      payload,
    });
  const panel = await openUser(page, 'ada@example.com');
  t.equal((await amend({ roles: ['editor', 'author'] })).statusCode, 200);
  await panel.getByRole('button', { name: 'Remove the role editor' }).click();
  const question = page.locator('#question');
  await question.locator('.button.danger').click();
  await question.getByText(/Somebody else has changed this user/).waitFor();
  t.same((await service.context.users.findById(ada.id))?.roles, ['editor', 'author']);
  t.match(await rowOf(page, 'ada@example.com').innerText(), /author/, 'the row is read again');
  await agree(page);
  await panel.getByText('The role editor is removed.').waitFor();
  t.same((await service.context.users.findById(ada.id))?.roles, ['author']);
  await panel.getByRole('button', { name: 'Close' }).click();

  const other = await openUser(page, 'bob@example.com');
  const url = `/v1/users/${bob.id}`;
  await service.as(service.root.access_token, { method: 'DELETE', url });
  await other.getByRole('button', { name: 'Disable' }).click();
  await question.locator('.button.danger').click();
  await other.waitFor({ state: 'hidden' });
  await page
    .locator('#notices')
    .getByText(/Somebody else has deleted/)
    .waitFor();
  t.equal(await rowOf(page, 'bob@example.com').count(), 0);
  t.equal(await question.count(), 0);

  const carol = await signedIn(service, 'carol@example.com');
  await page.reload();
  await rowOf(page, 'carol@example.com').waitFor();
  await service.as(service.root.access_token, { method: 'DELETE', url: `/v1/users/${carol.id}` });
  await rowOf(page, 'carol@example.com').getByRole('button').click();
  await page.locator('#notices').getByText('This no longer exists.').waitFor();
  await rowOf(page, 'carol@example.com').waitFor({ state: 'detached' });
  t.same(service.complaints, []);
});
