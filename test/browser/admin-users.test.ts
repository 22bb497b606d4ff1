import t from 'tap';
import { storedPasskey } from '../passkeys.ts';
import { factor, signedIn } from '../people.ts';
import { PASSWORD, type Tokens } from '../test-app.ts';
import { administration, agree, focusIsOn, opens, openUser, rowOf } from './administration.ts';

const NEW_PASSWORD = 'a stapler for battery horses';

t.test('an administrator invites a user, who gets a mail and chooses a password', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf();
  await page.getByRole('button', { name: 'Invite a user' }).click();
  await page.locator('#invitation-email').fill('root@example.com');
  await page.locator('#invitation-name').fill('Grace Hopper');
  await page.locator('#invitation-roles').fill('editor, Reports');
  await page.locator('#invitation-email').fill('not an address');
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await page.locator('#invitation-roles-error').waitFor();
  t.match(await page.locator('#invitation-roles-error').textContent(), /1 to 32 characters/);
  t.match(await page.locator('#invitation-email-error').textContent(), /must be an email address/);
  await page.locator('#invitation-email').fill('root@example.com');
  await page.locator('#invitation-roles').fill('editor, reports:read');
  await page.keyboard.press('Enter');
  await page.locator('#invitation-email-error').waitFor();
  t.match(await page.locator('#invitation-email-error').textContent(), /already an account/);
  await focusIsOn(page, '#invitation-email');

  await page.locator('#invitation-email').fill('grace@example.com');
  await page.keyboard.press('Enter');
  const row = rowOf(page, 'grace@example.com');
  await row.waitFor();
  t.match(await row.innerText(), /Grace Hopper.*editor.*reports:read.*active.*off.*never/s);
  t.match(await page.locator('#notices').textContent(), /Invited grace@example.com/);
  await focusIsOn(page, '#invite');
  const token = await service.box.token('grace@example.com');
  // Before the reset, which sends a mail too.
  t.equal(service.box.mails.length, 1, 'the refused invitations sent nothing');
  const reset = await service.post('/v1/password/reset', { token, password: NEW_PASSWORD });
  t.equal(reset.statusCode, 204);
  t.equal((await service.login('grace@example.com', NEW_PASSWORD)).statusCode, 200);
  t.same(service.complaints, []);
});

t.test('roles: one is added, and one is removed with the tokens that have it', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com', { roles: ['editor'] });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByLabel('Add a role').fill('Boss!');
  await page.keyboard.press('Enter');
  t.match(await page.locator('#user-role-error').textContent(), /starts with a letter/);
  await panel.getByLabel('Add a role').fill('author');
  await page.keyboard.press('Enter');
  await panel.getByText('The user has the role author.').waitFor();
  t.ok(await opens(service, ada.access_token), 'nothing is taken away');
  t.match(await rowOf(page, 'ada@example.com').innerText(), /editor\s+author/);

  await panel.getByRole('button', { name: 'Remove the role editor' }).click();
  t.match(
    await page.locator('#question').textContent(),
    /refused within a second.*stays signed in/,
  );
  await page.keyboard.press('Escape');
  t.ok(await opens(service, ada.access_token), 'Escape changes nothing');
  await panel.getByRole('button', { name: 'Remove the role editor' }).click();
  await agree(page);
  await panel.getByText('The role editor is removed.').waitFor();
  t.notOk(await opens(service, ada.access_token), 'the token with the role is refused');
  const refreshed = (await service.refresh(ada.refresh_token)).json<Tokens>();
  const { roles } = (await service.as(refreshed.access_token, { url: '/v1/whoami' })).json<{
    roles: string[];
  }>();
  t.same(roles, ['author']);
  await panel.getByRole('button', { name: 'Close' }).click();
  await focusIsOn(page, `[data-id="${ada.id}"] button`);
  t.same(service.complaints, []);
});

t.test('a role too many is refused in words', async (t) => {
  const service = await administration(t);
  const roles = Array.from({ length: 16 }, (_, index) => `role${index}`);
  const ada = await signedIn(service, 'ada@example.com', { roles });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByLabel('Add a role').fill('author');
  await page.keyboard.press('Enter');
  await panel.getByRole('alert').waitFor();
  t.match(await panel.getByRole('alert').textContent(), /^roles .*16/i);
  t.same((await service.context.users.findById(ada.id))?.roles, roles);
  t.same(service.complaints, []);
});

t.test('another administrator is made with the password, and a wrong one is told', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com');
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  const password = panel.locator('#user-password');
  t.notOk(await password.isVisible());
  await panel.getByLabel('Add a role').fill('admin');
  await password.fill('not the password of root');
  await page.keyboard.press('Enter');
  await page.locator('#user-password-error').waitFor();
  t.match(await page.locator('#user-password-error').textContent(), /not your current password/);
  t.same((await service.context.users.findById(ada.id))?.roles, []);
  await password.fill(PASSWORD);
  await page.keyboard.press('Enter');
  await panel.getByText('The user has the role admin.').waitFor();
  t.same((await service.context.users.findById(ada.id))?.roles, ['admin']);
  t.notOk(await password.isVisible());
  t.equal(await password.inputValue(), '', 'the password is not left in the page');
  t.same(service.complaints, []);
});

t.test('a user is disabled and enabled, and renamed', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com');
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByRole('button', { name: 'Disable' }).click();
  await agree(page);
  await panel.getByText('The user is disabled.').waitFor();
  t.notOk(await opens(service, ada.access_token));
  t.equal((await service.refresh(ada.refresh_token)).statusCode, 401);
  t.equal((await service.login()).statusCode, 401);
  t.match(await rowOf(page, 'ada@example.com').innerText(), /disabled/);
  await panel.getByRole('button', { name: 'Enable' }).click();
  await agree(page);
  await panel.getByText('The user is enabled.').waitFor();
  t.equal((await service.login()).statusCode, 200);

  await panel.getByLabel('Name', { exact: true }).fill('Ada King');
  await page.keyboard.press('Enter');
  await panel.getByText('The name is saved.').waitFor();
  t.equal((await service.context.users.findById(ada.id))?.name, 'Ada King');
  await panel.getByLabel('Name', { exact: true }).fill('');
  await page.keyboard.press('Enter');
  await rowOf(page, 'ada@example.com').locator('[data-label=Name]').getByText('–').waitFor();
  t.equal((await service.context.users.findById(ada.id))?.name, null);
  t.same(service.complaints, []);
});

t.test('a disabled administrator is enabled with the password only', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com', { roles: ['admin'], status: 'disabled' });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByRole('button', { name: 'Enable' }).click();
  await page.locator('#question .button.danger').click();
  t.match(await page.locator('#question-password-error').textContent(), /Enter your/);
  await agree(page, { password: PASSWORD });
  await panel.getByText('The user is enabled.').waitFor();
  t.equal((await service.context.users.findById(ada.id))?.status, 'active');
  t.same(service.complaints, []);
});

t.test('every session of a user ends, and a lost second factor is removed', async (t) => {
  const service = await administration(t);
  const { mfa } = factor(service, { id: 'x' });
  const ada = await signedIn(service, 'ada@example.com', { mfa });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  t.equal(await panel.locator('#user-sessions').textContent(), '1');
  await panel.getByRole('button', { name: 'End all sessions' }).click();
  await agree(page);
  await panel.getByText('All sessions have ended.').waitFor();
  t.equal(await panel.locator('#user-sessions').textContent(), '0');
  t.notOk(await opens(service, ada.access_token));
  t.equal((await service.login()).statusCode, 202, 'the password alone is not enough');

  await panel.getByRole('button', { name: 'Remove second factor' }).click();
  await agree(page);
  await panel.getByText('The second factor is removed').waitFor();
  t.notOk(await panel.getByRole('button', { name: 'Remove second factor' }).isVisible());
  t.equal((await service.login()).statusCode, 200);
  t.match(
    (await service.box.next('ada@example.com')).mail.text,
    /signing in takes no code any more/,
  );
  t.same(service.complaints, []);
});

t.test('how a user signs in is shown, and passkeys and providers are removed', async (t) => {
  const issuer = 'https://accounts.example.com';
  const service = await administration(t, {
    env: {
      OIDC_1_ISSUER: issuer,
      OIDC_1_NAME: 'Example',
      OIDC_1_CLIENT_ID: 'latchkey',
      OIDC_1_CLIENT_SECRET: 'x'.repeat(32),
    },
  });
  const ada = await signedIn(service, 'ada@example.com', {
    passkeys: [storedPasskey('x'), storedPasskey('y')],
    identity_1: `${issuer}|ada`,
    identity_2: 'https://gone.example|ada',
  });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  const ways = panel.locator('#user-ways-in');
  t.equal(await ways.textContent(), 'password, 2 passkeys, Example, https://gone.example');
  t.notOk(await panel.getByText('You can change your own').isVisible());

  const removePasskeys = panel.getByRole('button', { name: 'Remove passkeys' });
  await removePasskeys.focus();
  await page.keyboard.press('Enter');
  t.notMatch(await page.locator('#question').textContent(), /no other way in/);
  await page.keyboard.press('Escape');
  await focusIsOn(page, '#user-remove-passkeys');
  t.ok(await opens(service, ada.access_token), 'Escape changes nothing');
  await page.keyboard.press('Enter');
  await agree(page);
  await panel.getByText('All passkeys are removed, and all sessions have ended.').waitFor();
  await focusIsOn(page, '#user-email');
  t.notOk(await removePasskeys.isVisible());
  t.equal(await ways.textContent(), 'password, Example, https://gone.example');
  t.notOk(await opens(service, ada.access_token));
  t.match((await service.box.next('ada@example.com')).mail.subject, /passkeys were removed/);

  await panel.getByRole('button', { name: 'Unlink providers' }).click();
  await agree(page);
  await panel.getByText('All providers are unlinked, and all sessions have ended.').waitFor();
  await focusIsOn(page, '#user-email');
  t.notOk(await panel.getByRole('button', { name: 'Unlink providers' }).isVisible());
  t.equal(await ways.textContent(), 'password');
  t.match(await service.context.users.findById(ada.id), {
    passkeys: [],
    identity_1: `!${ada.id}`,
    identity_2: `!${ada.id}`,
  });
  t.match((await service.box.next('ada@example.com')).mail.subject, /providers were removed/);
  t.same(service.complaints, []);
});

t.test('the last way in can be removed, and the administrator is told that it is', async (t) => {
  const service = await administration(t);
  const identity_4 = 'https://gone.example|ada';
  await signedIn(service, 'ada@example.com', { identity_4, password_hash: null });
  await signedIn(service, 'bob@example.com', { password_hash: null });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  t.notOk(await panel.getByRole('button', { name: 'Remove passkeys' }).isVisible());
  await panel.getByRole('button', { name: 'Unlink providers' }).click();
  t.match(await page.locator('#question').textContent(), /no other way in.*code by mail/);
  await agree(page);
  await panel.getByText('All providers are unlinked').waitFor();
  t.equal(await panel.locator('#user-ways-in').textContent(), 'a code by mail only');
  t.same(service.complaints, []);
});

t.test('administrators find their own ways in on the account page only', async (t) => {
  const service = await administration(t);
  await service.context.users.change(service.root.id, (user) => ({
    user: { ...user, identity_4: 'https://gone.example|root' },
    result: undefined,
  }));
  const page = await service.pageOf();
  const panel = await openUser(page, 'root@example.com');
  await panel.getByText('You can change your own').waitFor();
  t.notOk(await panel.getByRole('button', { name: 'Unlink providers' }).isVisible());
  t.same(service.complaints, []);
});

t.test('a user is deleted once the address is typed', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com');
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByRole('button', { name: 'Delete' }).click();
  const question = page.locator('#question');
  await question.locator('[name=typed]').fill('ada@example.org');
  await page.keyboard.press('Enter');
  t.match(await page.locator('#question-typed-error').textContent(), /not the text above/);
  t.ok(await opens(service, ada.access_token));
  await agree(page, { typed: 'ada@example.com' });
  await panel.waitFor({ state: 'hidden' });
  await page.locator('#notices').getByText('ada@example.com is deleted.').waitFor();
  t.equal(await rowOf(page, 'ada@example.com').count(), 0);
  await focusIsOn(page, '#search');
  t.notOk(await opens(service, ada.access_token));
  t.equal((await service.login()).statusCode, 401);
  t.match((await service.box.next('ada@example.com')).mail.text, /deleted/);
  t.same(service.complaints, []);
});

t.test('the last administrator stays, and reads why', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf();
  t.match(await rowOf(page, 'root@example.com').innerText(), /you/);
  const panel = await openUser(page, 'root@example.com');
  t.ok(await panel.locator('#user-you').isVisible());
  for (const [button, fields] of [
    ['Disable', {}],
    ['Remove the role admin', {}],
    ['Delete', { typed: 'root@example.com' }],
  ] as const) {
    await panel.getByRole('button', { name: button }).click();
    const question = page.locator('#question');
    for (const [name, value] of Object.entries(fields))
      await question.locator(`[name=${name}]`).fill(value);
    await question.locator('.button.danger').click();
    await question.getByRole('alert').waitFor();
    t.match(await question.getByRole('alert').textContent(), /You are the only administrator/);
    await page.keyboard.press('Escape');
  }
  const row = await service.context.users.findById(service.root.id);
  t.match(row, { status: 'active', roles: ['admin'] });
  t.same(service.complaints, []);
});

t.test('custom claims are set as JSON, and what is refused is told and kept', async (t) => {
  const service = await administration(t);
  const ada = await signedIn(service, 'ada@example.com', { claims: { plan: 'free' } });
  const page = await service.pageOf();
  const panel = await openUser(page, 'ada@example.com');
  const field = panel.getByLabel('Claims, as JSON');
  const save = () => panel.getByRole('button', { name: 'Save claims' }).click();
  const claims = async () => (await service.context.users.findById(ada.id))?.claims;
  t.same(JSON.parse(await field.inputValue()), { plan: 'free' });
  for (const text of ['{"plan":', '[]', 'null', '"x"']) {
    await field.fill(text);
    await save();
    t.match(await page.locator('#user-claims-error').textContent(), /not a JSON object/, text);
  }
  await field.fill('{"sub": "root"}');
  await save();
  await page.getByText('Claims, as JSON: sub is a registered name.').waitFor();
  t.equal(await field.inputValue(), '{"sub": "root"}');
  t.same(await claims(), { plan: 'free' });
  await field.fill('{"plan": "pro", "seats": 3}');
  await save();
  await panel.getByText('The claims are saved.').waitFor();
  t.same(await claims(), { plan: 'pro', seats: 3 });
  await field.fill('');
  const answered = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await save();
  await answered;
  t.same(await claims(), {}, 'an empty field removes them');
  t.same(
    service.complaints.filter((line) => !/422/.test(line)),
    [],
  );
});
