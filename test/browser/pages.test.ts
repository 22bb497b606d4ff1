import type { Page } from 'playwright-core';
import t from 'tap';
import { withFactor, wrongCode } from '../authenticator.ts';
import { factor } from '../people.ts';
import { PASSWORD } from '../test-app.ts';
import { looksRight } from './looks.ts';
import { stateOf, visited } from './visitor.ts';

const NEW_PASSWORD = 'a lantern in the rainy harbour';
const EMAIL = 'ada@example.com';

/** Fills in the form of /login and sends it. */
async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Email address').fill(EMAIL);
  await page.locator('#password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();

t.test(
  'a newcomer signs up with the mailed link, signs out and in, forgets the password and chooses another',
  async (t) => {
    const { url, box, visitor, complaints } = await visited(t);
    const page = await visitor();
    await page.goto(url);
    await looksRight(t, page, 'home');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Email address').fill(EMAIL);
    await looksRight(t, page, 'sign-up');
    await page.getByRole('button', { name: 'Send me the link' }).click();
    await heading(page, 'Look into your mail');
    t.equal(await page.locator('#sent-to').textContent(), EMAIL);
    await looksRight(t, page, 'sign-up, sent');

    const link = `${url}/sign-up#token=${await box.token(EMAIL)}`;
    await page.goto(link);
    await page.getByText(`for ${EMAIL}`).waitFor();
    t.equal(page.url(), `${url}/sign-up`, 'the token is not in the address bar');
    t.equal(await page.locator('[autocomplete=username]').last().inputValue(), EMAIL);
    await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
    await page.locator('#password').fill('too short');
    await page.getByRole('button', { name: 'Create my account' }).click();
    t.match(await stateOf(page, '#password'), {
      isInvalid: true,
      description: /At least 15 characters\..* Use at least 15 characters\.$/,
      hasFocus: true,
    });
    await page.locator('#password').fill('aaaaaaaaaaaaaaaaaaaa');
    t.equal((await stateOf(page, '#password')).isInvalid, false, 'typing takes the error away');
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.getByText('Password is too easy to guess').waitFor();
    t.match(await stateOf(page, '#password'), { isInvalid: true, hasFocus: true });
    await looksRight(t, page, 'sign-up, refused');
    await page.locator('#password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.waitForURL(`${url}/account`);

    await page.goto(`${url}/login`);
    await page.waitForURL(`${url}/account`, { waitUntil: 'commit' });
    t.pass('who is signed in is sent on');
    await page.goto(url);
    await page.getByRole('link', { name: 'My account' }).waitFor();
    await looksRight(t, page, 'home, signed in');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in' }).click();

    await page.goto(link);
    await page.goto(`${url}/login`);
    await signIn(page, 'not my password');
    await page.getByText('The email address or the password is wrong.').waitFor();
    t.match(await stateOf(page, '#password'), { isInvalid: true, hasFocus: true });
    await looksRight(t, page, 'login, refused');

    await page.getByRole('link', { name: 'Forgot it?' }).click();
    await page.getByLabel('Email address').fill('ada@');
    await page.getByRole('button', { name: 'Send me the link' }).click();
    t.match(await stateOf(page, '#email'), {
      isInvalid: true,
      description: 'Enter an email address, such as ada@example.com.',
    });
    await page.getByLabel('Email address').fill(EMAIL);
    await looksRight(t, page, 'forgot-password');
    await page.getByRole('button', { name: 'Send me the link' }).click();
    await heading(page, 'Look into your mail');
    await looksRight(t, page, 'forgot-password, sent');

    const reset = `${url}/reset-password#token=${await box.token(EMAIL)}`;
    await page.goto(reset);
    await heading(page, 'Choose a new password');
    t.equal(page.url(), `${url}/reset-password`);
    await page.locator('#password').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Show the password' }).click();
    t.equal(await page.locator('#password').getAttribute('type'), 'text');
    await looksRight(t, page, 'reset-password');
    await page.getByRole('button', { name: 'Save the password' }).click();
    t.equal(await page.locator('#password').getAttribute('type'), 'password', 'hidden again');
    await heading(page, 'Your password is changed');
    await looksRight(t, page, 'reset-password, done');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, NEW_PASSWORD);
    await page.waitForURL(`${url}/account`);

    await page.goto(reset);
    await page.locator('#password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save the password' }).click();
    await heading(page, 'This link no longer works');
    await looksRight(t, page, 'reset-password, dead');
    await page.getByRole('link', { name: 'Get a new link' }).click();
    await page.waitForURL(`${url}/forgot-password`);
    t.same(complaints, []);
  },
);

t.test('a used link to sign up says so, and offers a new one', async (t) => {
  const { url, box, visitor, complaints, post } = await visited(t);
  await post('/v1/register', { email: EMAIL });
  const token = await box.token(EMAIL);
  await post('/v1/register/complete', { token, password: PASSWORD });
  const page = await visitor();
  await page.goto(`${url}/sign-up#token=${token}`);
  await page.locator('#password').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await heading(page, 'This link no longer works');
  await looksRight(t, page, 'sign-up, dead');
  await page.getByRole('button', { name: 'Get a new link' }).click();
  t.match(await stateOf(page, '#email'), { hasFocus: true });
  for (const path of ['/reset-password', '/confirm-email']) {
    await page.goto(`${url}${path}`);
    await heading(page, 'Open the link in your mail');
    await looksRight(t, page, `${path} without a link`);
  }
  await page.goto(`${url}/reset-password#token=not.a.token`);
  await heading(page, 'Choose a new password');
  await page.evaluate('location.hash = "#token=an.other.link"');
  await page.waitForURL(`${url}/reset-password`);
  t.same(complaints, []);
});

t.test('an account with a second factor asks for its code, or for a recovery code', async (t) => {
  const service = await visited(t);
  const { url, visitor, complaints, clock } = service;
  const { secret, code, recoveryCodes } = await withFactor(t, service, EMAIL);
  const page = await visitor();
  await page.goto(`${url}/login?next=/docs`);
  await signIn(page);
  await heading(page, 'One more step');
  t.match(await stateOf(page, '#code'), { hasFocus: true });
  await looksRight(t, page, 'login, second step');
  const send = () => page.getByRole('button', { name: 'Go on' }).click();
  await send();
  t.match(await stateOf(page, '#code'), {
    description: 'Enter the six digits that your app shows.',
  });
  await page.locator('#code').fill('12345');
  await send();
  t.match(await stateOf(page, '#code'), { isInvalid: true, description: 'Enter six digits.' });
  await page.locator('#code').fill(wrongCode(secret, clock.now));
  await send();
  await page.getByText('This code is wrong.').waitFor();
  t.match(await stateOf(page, '#code'), { isInvalid: true, hasFocus: true });
  await looksRight(t, page, 'login, wrong code');
  const shown = code();
  // As many apps copy it.
  await page.locator('#code').fill(` ${shown.slice(0, 3)} ${shown.slice(3)} `);
  await send();
  await page.waitForURL(`${url}/docs`);

  const other = await visitor();
  await other.goto(`${url}/login`);
  await signIn(other);
  await heading(other, 'One more step');
  clock.advance(3_600_000);
  await other.locator('#code').fill(code());
  await other.getByRole('button', { name: 'Go on' }).click();
  await other
    .getByText(/^Please sign in again: it took too long, or there were too many wrong codes\.$/)
    .waitFor();
  t.match(await stateOf(other, '#password'), { hasFocus: true });
  await looksRight(t, other, 'login, too late');
  await signIn(other);
  await other.getByRole('button', { name: 'Use a recovery code instead' }).click();
  await other.getByRole('button', { name: 'Use a code from your app instead' }).click();
  t.match(await stateOf(other, '#code'), { hasFocus: true });
  await other.getByRole('button', { name: 'Use a recovery code instead' }).click();
  t.match(await stateOf(other, '#recovery-code'), { hasFocus: true });
  await looksRight(t, other, 'login, recovery code');
  await other.locator('#recovery-code').fill('K3QW-7ZP2-MNB4-XA5T');
  await other.getByRole('button', { name: 'Go on' }).click();
  await other.getByText('This code is wrong.').waitFor();
  await other.locator('#recovery-code').fill(recoveryCodes[0] as string);
  await other.getByRole('button', { name: 'Go on' }).click();
  await other.waitForURL(`${url}/account`);
  t.same(complaints, []);
});

t.test(
  'an address is confirmed by its button, signed in or not, and never by itself',
  async (t) => {
    const service = await visited(t, { env: { SIGN_UP: 'open' } });
    const { url, box, visitor, complaints, signUp, as } = service;
    const { access_token } = await signUp(EMAIL);
    const link = `${url}/confirm-email#token=${await box.token(EMAIL)}`;
    const isConfirmed = async () =>
      (await as(access_token, { url: '/v1/me' })).json<{ email_verified: boolean }>()
        .email_verified;
    const page = await visitor();
    await page.goto(link);
    await page.getByText(`Is ${EMAIL} yours?`).waitFor();
    t.equal(page.url(), `${url}/confirm-email`);
    await page.waitForLoadState('networkidle');
    t.equal(await isConfirmed(), false, 'a program that scans mail has opened the link');
    await looksRight(t, page, 'confirm-email');
    await page.getByRole('button', { name: 'Yes, confirm it' }).click();
    await heading(page, 'Your address is confirmed');
    t.equal(await isConfirmed(), true);
    await looksRight(t, page, 'confirm-email, done');
    await page.goto(link);
    await page.getByRole('button', { name: 'Yes, confirm it' }).click();
    await heading(page, 'This link no longer works');

    const atHome = await visitor();
    await atHome.goto(`${url}/login?next=/docs`);
    await signIn(atHome);
    await atHome.waitForURL(`${url}/docs`);
    const asked = await as(access_token, {
      method: 'PUT',
      url: '/v1/me/email',
      payload: { email: 'lovelace@example.com', password: PASSWORD },
    });
    t.equal(asked.statusCode, 202);
    await atHome.goto(`${url}/confirm-email#token=${await box.token('lovelace@example.com')}`);
    await atHome.getByRole('button', { name: 'Yes, confirm it' }).click();
    await heading(atHome, 'Your address is confirmed');
    t.same(complaints, []);
  },
);

t.test('an account of somebody else is deleted by its button, and never by itself', async (t) => {
  const service = await visited(t, { env: { SIGN_UP: 'open' } });
  const { url, box, visitor, complaints, signUp, context } = service;
  await signUp(EMAIL);
  const [link] =
    /http\S+\/not-me#token=[\w.-]+/.exec((await box.next(EMAIL)).mail.text ?? '') ?? [];
  const isThere = async () => (await context.users.findByEmail(EMAIL)) !== undefined;
  const page = await visitor();
  await page.goto(`${url}/not-me`);
  await heading(page, 'Open the link in your mail');
  await looksRight(t, page, 'not-me without a link');
  await page.goto(`${link}`);
  await page.getByText(`Someone made an account with ${EMAIL}.`).waitFor();
  t.equal(page.url(), `${url}/not-me`, 'the token is not in the address bar');
  await page.waitForLoadState('networkidle');
  t.equal(await isThere(), true, 'a program that scans mail has opened the link');
  await looksRight(t, page, 'not-me');
  await page.getByRole('button', { name: 'It was not me, delete it' }).click();
  await heading(page, 'The account is deleted');
  t.equal(await isThere(), false);
  await looksRight(t, page, 'not-me, done');
  await page.goto(`${link}`);
  await page.getByRole('button', { name: 'It was not me, delete it' }).click();
  await heading(page, 'This link no longer works');
  await looksRight(t, page, 'not-me, dead');
  await page.getByRole('link', { name: 'Choose a new password' }).click();
  await page.waitForURL(`${url}/forgot-password`);
  t.same(complaints, []);
});

t.test(
  'who signs up and confirms the address in one browser keeps the second factor',
  async (t) => {
    const service = await visited(t, { env: { SIGN_UP: 'open' } });
    const { url, box, visitor, complaints, context, post, login } = service;
    const page = await visitor();
    await page.goto(`${url}/sign-up`);
    await page.getByLabel('Email address').fill(EMAIL);
    await page.locator('#ask-password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.waitForURL(`${url}/account`);
    await page.goto(`${url}/confirm-email#token=${await box.token(EMAIL)}`);
    await page.getByRole('button', { name: 'Yes, confirm it' }).click();
    await heading(page, 'Your address is confirmed');
    const { id = '' } = (await context.users.findByEmail(EMAIL)) ?? {};
    const { mfa } = factor(service, { id });
    await context.users.change(id, (user) => ({ user: { ...user, mfa }, result: undefined }));
    await post('/v1/password/forgot', { email: EMAIL });
    const token = await box.token(EMAIL);
    const reset = await post('/v1/password/reset', { token, password: NEW_PASSWORD });
    t.equal(reset.statusCode, 204);
    t.ok((await context.users.findById(id))?.mfa.totp, 'the factor stays');
    t.equal((await login(EMAIL, NEW_PASSWORD)).statusCode, 202);
    t.same(complaints, []);
  },
);

t.test(
  'where sign-up is open, a form makes the account at once; where it is closed, the page says so',
  async (t) => {
    const open = await visited(t, { env: { SIGN_UP: 'open' } });
    await open.signUp('taken@example.com');
    const page = await open.visitor();
    await page.goto(`${open.url}/sign-up?next=/docs`);
    await page.getByLabel('Email address').fill('taken@example.com');
    await page.locator('#ask-password').fill(PASSWORD);
    await looksRight(t, page, 'sign-up, open');
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.getByText('There is already an account with this email address.').waitFor();
    t.match(await stateOf(page, '#email'), { isInvalid: true, hasFocus: true });
    await page.getByLabel('Email address').fill(EMAIL);
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.waitForURL(`${open.url}/docs`);
    t.same(open.complaints, []);

    const closed = await visited(t, { env: { SIGN_UP: 'closed' } });
    const other = await closed.visitor();
    await other.goto(`${closed.url}/sign-up`);
    await heading(other, 'Accounts are by invitation');
    await looksRight(t, other, 'sign-up, closed');
    await other.getByRole('link', { name: 'Sign in' }).click();
    await other.getByLabel('Email address').waitFor();
    t.equal(await other.getByRole('link', { name: 'Create an account' }).count(), 0);
    t.same(closed.complaints, []);
  },
);

t.test('password managers recognise each field', async (t) => {
  const { url, visitor } = await visited(t);
  const page = await visitor();
  const fields = async (path: string) => {
    await page.goto('about:blank');
    await page.goto(`${url}${path}`);
    return page.locator('input:visible').evaluateAll((inputs) =>
      inputs.map((input) =>
        ['type', 'autocomplete', 'passwordrules']
          .map((name) => input.getAttribute(name))
          .filter((value) => value !== null)
          .join(' '),
      ),
    );
  };
  t.same(await fields('/login'), ['email username webauthn', 'password current-password']);
  t.same(await fields('/sign-up'), ['email username']);
  t.same(await fields('/sign-up#token=a.b.c'), [
    'text name',
    'password new-password minlength: 15;',
  ]);
  t.same(await fields('/forgot-password'), ['email username']);
  t.same(await fields('/reset-password#token=a.b.c'), ['password new-password minlength: 15;']);
  const code = page.locator('#code');
  await page.goto(`${url}/login`);
  t.equal(await code.getAttribute('autocomplete'), 'one-time-code');
  t.equal(await code.getAttribute('inputmode'), 'numeric');
});

t.test('only a path of the service is followed after the sign-in', async (t) => {
  const { url, visitor, complaints } = await visited(t, {
    path: '/auth',
    env: { SIGN_UP: 'open' },
  });
  await fetch(`${url}/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
  });
  const page = await visitor();
  await page.goto(`${url}/login`);
  const [script = ''] = /pages\/[\w-]+\//.exec(await page.content()) ?? [];
  const followed = (next: string) =>
    page.evaluate<string>(
      `import('${url}/${script}session.js').then(({ nextPage }) => nextPage(${JSON.stringify(`?next=${encodeURIComponent(next)}`)}))`,
    );
  for (const own of ['/auth/account?tab=a%20b#password', '/auth/admin', '/auth/docs'])
    t.equal(await followed(own), new URL(own, url).href);
  for (const foreign of [
    '',
    'account',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/auth/\\evil.example',
    'https://evil.example/auth/',
    'https:evil.example',
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,a',
    '/\t/evil.example',
    '/auth\n/x',
    '\u0000/auth/account',
    '/auth/../evil',
    '/auth/%2e%2e/evil',
    '/authority',
    '/evil',
    '/auth/é',
  ])
    t.equal(await followed(foreign), `${url}/account`, JSON.stringify(foreign));

  await page.goto(`${url}/login?next=//evil.example/auth/`);
  await signIn(page);
  await page.waitForURL(`${url}/account`);
  t.same(complaints, []);
});

t.test('below a path, every page and link works; the keyboard alone is enough', async (t) => {
  const { url, box, visitor, complaints } = await visited(t, { path: '/auth' });
  const page = await visitor();
  await page.goto(`${url}/`);
  t.equal((await page.goto(url))?.status(), 200);
  await page.getByRole('link', { name: 'Create an account' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/sign-up`);
  await page.locator('#email:focus').waitFor();
  await page.keyboard.type(EMAIL);
  await page.keyboard.press('Enter');
  await heading(page, 'Look into your mail');
  await page.goto(`${url}/sign-up#token=${await box.token(EMAIL)}`);
  await page.locator('#name:focus').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/account`);

  const other = await visitor();
  await other.goto(`${url}/login?next=/auth/docs`);
  await other.locator('#email:focus').waitFor();
  await other.keyboard.type(EMAIL);
  await other.keyboard.press('Tab');
  await other.keyboard.press('Tab');
  await other.keyboard.type(PASSWORD);
  await other.keyboard.press('Enter');
  await other.waitForURL(`${url}/docs`);
  t.same(complaints, []);
});

t.test('a wait is told in words, and so is a service that cannot be reached', async (t) => {
  const { url, visitor } = await visited(t, { env: { AUTH_RATE_LIMIT: '1/2m' } });
  const page = await visitor();
  await page.goto(`${url}/login`);
  await signIn(page, 'wrong');
  await page.getByText('The email address or the password is wrong.').waitFor();
  await signIn(page, 'wrong');
  await page.getByRole('alert').waitFor();
  t.equal(
    await page.getByRole('alert').textContent(),
    'Too many attempts. Please try again in 2 minutes.',
  );
  t.match(await stateOf(page, '[role=alert]'), { hasFocus: true });
  await looksRight(t, page, 'login, too many attempts');
  for (const [status, headers, text] of [
    [503, { 'retry-after': '90' }, 'The service is busy. Please try again in 2 minutes.'],
    [502, {}, 'Something went wrong on our side. Please try again later.'],
  ] as const) {
    await page.route('**/v1/login', (route) => route.fulfill({ status, headers, body: '<p>' }));
    await signIn(page);
    await page.getByText(text).waitFor();
    t.equal(await page.getByRole('alert').textContent(), text);
  }
  await page.route('**/v1/login', (route) => route.abort());
  await signIn(page);
  await page.getByText('The service cannot be reached.').waitFor();
});

t.test('a form whose script has not arrived sends nothing', async (t) => {
  const { url, visitor, complaints } = await visited(t);
  const page = await visitor();
  await page.route('**/*.js', (route) => route.abort());
  await page.goto(`${url}/login`);
  await page.getByLabel('Email address').fill(EMAIL);
  await page.locator('#password').fill(PASSWORD);
  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.url()));
  await page.evaluate('document.forms[0].requestSubmit()');
  await page.waitForFunction('document.readyState === "complete"');
  t.same(sent, []);
  t.equal(page.url(), `${url}/login`, 'the password is in no address');
  t.ok(complaints.includes('CSP form-action'));
});

t.test('a user whose session was copied learns of it on the sign-in page', async (t) => {
  const { url, visitor, complaints, signUp } = await visited(t, { env: { SIGN_UP: 'open' } });
  await signUp(EMAIL);
  const page = await visitor();
  await page.goto(`${url}/login?ended=refresh_reused`);
  await page.getByText('Somebody else may have used your session').waitFor();
  await looksRight(t, page, 'login, session copied');
  await page.goto(`${url}/login?ended=refresh_invalid`);
  await page.locator('#email:focus').waitFor();
  t.equal(await page.locator('#notices').textContent(), '');
  t.same(complaints, []);
});
