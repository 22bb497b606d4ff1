import type { Page } from 'playwright-core';
import t from 'tap';
import { newServiceAccount } from '../../src/actions/clients/service-accounts.ts';
import { form } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { type Administration, administration, agree, focusIsOn } from './administration.ts';
import { held, tryToLeave } from './visitor.ts';

/** The status of `/oauth/token` for these credentials. */
const tokenStatus = async (service: Administration, client_id: string, client_secret: string) => {
  const fields = { grant_type: 'client_credentials', client_id, client_secret };
  return (await form(service, '/oauth/token', fields)).statusCode;
};

/** Reads the secret that is shown, and closes its dialog. */
async function secretShown(page: Page): Promise<string> {
  const dialog = page.locator('dialog#secret');
  await dialog.waitFor();
  const secret = await page.locator('#secret-value').innerText();
  await dialog.getByRole('button', { name: 'I have saved the secret' }).click();
  await dialog.waitFor({ state: 'hidden' });
  return secret;
}

const everywhere = `JSON.stringify([
  document.documentElement.outerHTML, location.href, history.state, document.cookie,
  { ...localStorage }, { ...sessionStorage }, [...document.querySelectorAll('input')].map(({ value }) => value),
])`;

t.test('a service account from its creation to its end', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf();
  await page.getByRole('link', { name: 'Service accounts' }).click();
  await page.getByText('There are no service accounts yet.').waitFor();
  await page.getByRole('button', { name: 'Create a service account' }).click();
  const dialog = page.locator('dialog#new-account');
  await dialog.getByLabel('Name').fill('nightly report');
  await dialog.getByLabel('Roles').fill('reports:read');
  await dialog.getByLabel('Your password').fill('not the password of root');
  await page.keyboard.press('Enter');
  await page.locator('#new-account-password-error').waitFor();
  t.match(await page.locator('#new-account-password-error').textContent(), /not your current/);
  await dialog.getByLabel('Your password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');

  await page.locator('dialog#secret').waitFor();
  await page.keyboard.press('Escape');
  t.ok(await page.locator('dialog#secret').isVisible(), 'Escape does not lose the secret');
  t.match(await page.locator('#secret-warning').textContent(), /will not be shown again/);
  const id = String(await page.locator('#secret-id').textContent());
  const command = String(await page.locator('#secret-command').textContent());
  t.equal(
    command,
    `curl --user "${id}:$CLIENT_SECRET" \\\n  --data grant_type=client_credentials \\\n  ${service.url}/oauth/token`,
  );
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the secret' }).click();
  await page.getByText('Copied.').waitFor();
  const copied = await page.evaluate('navigator.clipboard.readText()');
  const first = await secretShown(page);
  t.equal(copied, first);
  const row = page.locator(`#accounts-rows [data-id="${id}"]`);
  await row.waitFor();
  t.match(await row.innerText(), /nightly report.*reports:read/s);
  const left = await page.evaluate<string>(everywhere);
  t.notOk(left.includes(first), 'the secret is not left behind');
  t.notOk(left.includes(PASSWORD), 'nor the password');
  t.equal(await tokenStatus(service, id, first), 200);

  const renew = async () => {
    await row.getByRole('button', { name: 'New secret' }).click();
    await agree(page, { password: PASSWORD });
    return secretShown(page);
  };
  const second = await renew();
  t.equal(await tokenStatus(service, id, second), 200);
  t.equal(await tokenStatus(service, id, first), 200, 'the one before works once more');
  const third = await renew();
  t.equal(await tokenStatus(service, id, third), 200);
  t.equal(await tokenStatus(service, id, first), 401, 'the old one does not');
  t.notOk((await page.evaluate<string>(everywhere)).includes(third));

  await row.getByRole('button', { name: 'Delete' }).click();
  await agree(page);
  await row.waitFor({ state: 'detached' });
  t.equal(await tokenStatus(service, id, third), 401);
  await focusIsOn(page, '#create-account');
  t.same(service.complaints, []);
});

t.test('a secret on its way is neither left behind nor lost by a reload', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf('root@example.com', { path: '/admin#accounts' });
  await page.getByRole('button', { name: 'Create a service account' }).click();
  await page.locator('#new-account-name').fill('deploy');
  await page.locator('#new-account-password').fill(PASSWORD);
  const creation = await held(page, '**/v1/service-accounts');
  await page.keyboard.press('Enter');
  await tryToLeave(page, 'Cancel');
  creation.letGo();
  const first = await secretShown(page);
  const id = String(await page.locator('#accounts-rows code').textContent());
  t.equal(await tokenStatus(service, id, first), 200);

  await page.getByRole('button', { name: 'New secret' }).click();
  const question = page.locator('dialog#question');
  await question.locator('[name=password]').fill(PASSWORD);
  const renewal = await held(page, '**/secret');
  await page.keyboard.press('Enter');
  await tryToLeave(page, 'Cancel');
  renewal.letGo();
  await page.locator('dialog#secret').waitFor();
  const asked: string[] = [];
  page.once('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await page.evaluate('location.reload()').catch(() => {});
  t.same(asked, ['beforeunload'], 'the browser asks before it loses a secret');
  t.equal(await tokenStatus(service, id, await secretShown(page)), 200);
  await page.reload();
  t.equal(asked.length, 1);
  t.same(service.complaints, []);
});

t.test('a new secret whose answer is lost is not created again by chance', async (t) => {
  const service = await administration(t);
  const { access_token } = service.root;
  const payload = { name: 'deploy', password: PASSWORD };
  const url = '/v1/service-accounts';
  const made = await service.as(access_token, { method: 'POST', url, payload });
  const { client_id, client_secret } = made.json<{ client_id: string; client_secret: string }>();
  const page = await service.pageOf('root@example.com', { path: '/admin#accounts' });
  await page.route('**/secret', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: 'New secret' }).click();
  await agree(page, { password: PASSWORD });
  await page
    .locator('#notices.warning')
    .getByText('A new secret may have been made. Creating another ends the present one.')
    .waitFor();
  t.equal(await tokenStatus(service, client_id, client_secret), 200);
  t.same(service.complaints, []);
});

t.test('where the clipboard is closed, the secret is selected to be copied', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf('root@example.com', { path: '/admin#accounts' });
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
  await page.getByRole('button', { name: 'Create a service account' }).click();
  await page.locator('#new-account-name').fill('deploy');
  await page.locator('#new-account-password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copy the secret' }).click();
  await page.getByText('Selected: now copy it.').waitFor();
  const selected = await page.evaluate('getSelection().toString()');
  t.equal(selected, await page.locator('#secret-value').innerText());
  t.same(service.complaints, []);
});

t.test('an account that somebody else has deleted leaves the list', async (t) => {
  const service = await administration(t);
  const { access_token } = service.root;
  const payload = { name: 'deploy', password: PASSWORD };
  const url = '/v1/service-accounts';
  for (const again of ['New secret', 'Delete']) {
    const made = await service.as(access_token, { method: 'POST', url, payload });
    const { client_id } = made.json<{ client_id: string }>();
    const page = await service.pageOf('root@example.com', { path: '/admin#accounts' });
    const row = page.locator(`#accounts-rows [data-id="${client_id}"]`);
    await row.waitFor();
    await service.as(access_token, { method: 'DELETE', url: `${url}/${client_id}` });
    await row.getByRole('button', { name: again }).click();
    await agree(page, again === 'Delete' ? {} : { password: PASSWORD });
    await page
      .locator('#notices')
      .getByText(/Somebody else has deleted/)
      .waitFor();
    await row.waitFor({ state: 'detached' });
    t.notOk(await page.locator('dialog#secret').isVisible());
  }
  t.same(service.complaints, []);
});

t.test('service accounts have pages too', async (t) => {
  const service = await administration(t);
  for (let number = 0; number < 60; number += 1) {
    service.clock.advance(1);
    const { account } = newServiceAccount({ name: `job ${number}`, roles: [] }, service.clock.now);
    await service.context.users.insert(account);
  }
  const page = await service.pageOf('root@example.com', { path: '/admin#accounts' });
  const count = page.locator('#accounts-count');
  await count.getByText('50 service accounts on page 1').waitFor();
  await page.locator('#accounts-next').click();
  await count.getByText('10 service accounts on page 2').waitFor();
  t.ok(await page.getByText('job 59').isVisible());
  await page.locator('#accounts-previous').click();
  await count.getByText('50 service accounts on page 1').waitFor();
  t.same(service.complaints, []);
});
