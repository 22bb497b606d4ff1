import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { codeAt, wrongCode } from '../authenticator.ts';
import { refused } from '../refused.ts';
import { PASSWORD } from '../test-app.ts';
import {
  type AccountPage,
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
import { held, tryToLeave } from './visitor.ts';

const STEP = 30_000;
const RECOVERY_CODE = /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/;

/** Goes on to the picture, and returns the secret beside it. */
async function begun(page: Page): Promise<string> {
  await press(page, 'Set up');
  await prove(page, 'Continue');
  const key = await page.locator('.secret').textContent();
  return String(key).replaceAll(' ', '');
}

/** Turns the second factor on, and returns the secret; the recovery codes are on the screen. */
async function turnedOn(page: Page, { clock }: AccountPage): Promise<string> {
  const secret = await begun(page);
  await fill(page, 'Code from the app', codeAt(secret, clock.now));
  await press(page, 'Turn on');
  await page.locator('.codes').waitFor();
  return secret;
}

const codesOf = (page: Page) => page.locator('.codes li').allTextContents();

async function saveCodes(page: Page): Promise<void> {
  await page.getByLabel('I have saved these codes').check();
  await press(page, 'Done');
}

const section = (page: Page) => page.getByRole('region', { name: 'Second factor' });

/** Where a script of another page at this origin, or a person at this computer, could look. */
const tracesOf = (page: Page) =>
  page.evaluate<string>(
    'JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
  );

t.test(
  'a user turns the second factor on, signs in with a code and with a recovery code, and turns it off',
  async (t) => {
    const world = await accountPage(t);
    const { open, row, clock, box, refresh, elsewhere, login, url } = world;
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await press(page, 'Set up');
    await prove(page, 'Continue', 'not my password at all');
    t.match(await besideFocus(page), /not your current password/);
    t.equal((await row()).mfa.pending, undefined);
    await prove(page, 'Continue');
    await page.locator('.secret').waitFor();
    await looksRight(t, page, 'account, picture');
    const key = String(await page.locator('.secret').textContent());
    t.match(key, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    const secret = key.replaceAll(' ', '');
    const picture = page.getByRole('img', { name: /QR code/ });
    t.match(await picture.getAttribute('src'), /^data:image\/svg\+xml,/);
    t.ok(await page.evaluate("document.querySelector('.qr').naturalWidth > 0"), 'it is shown');
    const link = await page.getByRole('link', { name: 'Open my app' }).getAttribute('href');
    t.ok(link?.startsWith('otpauth://totp/') && link.includes(secret));
    await press(page, 'Copy the key');
    await page.getByText('Copied.').waitFor();
    t.equal(await page.evaluate('navigator.clipboard.readText()'), secret);

    await fill(page, 'Code from the app', '12345');
    await press(page, 'Turn on');
    t.match(await besideFocus(page), /six digits/);
    await fill(page, 'Code from the app', wrongCode(secret, clock.now));
    await press(page, 'Turn on');
    t.match(await besideFocus(page), /code is wrong/);
    t.equal((await login(EMAIL)).statusCode, 200, 'the password alone still signs in');
    const code = codeAt(secret, clock.now);
    await fill(page, 'Code from the app', ` ${code.slice(0, 3)} ${code.slice(3)}`);
    await press(page, 'Turn on');
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();

    await looksRight(t, page, 'account, recovery codes');
    const codes = await codesOf(page);
    t.equal(new Set(codes).size, 10);
    t.ok(codes.every((each) => RECOVERY_CODE.test(each)));
    await press(page, 'Copy');
    await page.getByText('Copied.').waitFor();
    t.match(await page.evaluate('navigator.clipboard.readText()'), codes.join('\n'));
    const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')]);
    t.equal(file.suggestedFilename(), 'recovery-codes.txt');
    t.match(readFileSync(await file.path(), 'utf8'), codes.join('\n'));
    await page.evaluate('window.print = () => { window.isPrinted = true }');
    await press(page, 'Print');
    t.equal(await page.evaluate('isPrinted'), true);
    await page.emulateMedia({ media: 'print' });
    t.equal(await page.getByText(String(codes[9])).isVisible(), true);
    t.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false);
    t.equal(await page.locator('main').isVisible(), false, 'only the codes are printed');
    await page.emulateMedia({ media: 'screen' });

    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await press(page, 'Done');
    t.match(await besideFocus(page), /Save the codes first/);
    await saveCodes(page);
    await said(page, 'The second factor is on. Your other devices were signed out.');
    await section(page).getByText('10 recovery codes are left').waitFor();
    t.equal(
      await page.evaluate('document.activeElement.id'),
      'second-factor-title',
      'the focus is where the button was',
    );
    const traces = await tracesOf(page);
    for (const trace of [secret, key, ...codes, PASSWORD, 'eyJ', 'otpauth'])
      t.notOk(traces.includes(trace), 'no secret is left on the page');
    refused(t, await refresh(elsewhere.refresh_token), 401, 'refresh_invalid');
    t.match((await box.next(EMAIL)).mail.subject, /Second factor turned on/);
    t.equal((await login(EMAIL)).statusCode, 202);

    await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${url}/login?next=*`);
    await signIn(page);
    clock.advance(STEP);
    await page.locator('#code').fill(codeAt(secret, clock.now));
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/account`);
    await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${url}/login?next=*`);
    await signIn(page);
    await press(page, 'Use a recovery code instead');
    await page.locator('#recovery-code').fill(String(codes[0]));
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/account`);
    await section(page).getByText('9 recovery codes are left').waitFor();

    await press(page, 'Turn off');
    await fill(page, 'Code', 'abc');
    await prove(page, 'Turn off');
    t.match(await besideFocus(page), /six digits, or one of your recovery codes/);
    await fill(page, 'Code', wrongCode(secret, clock.now));
    await press(page, 'Turn off');
    t.match(await besideFocus(page), /code is wrong/);
    t.ok((await row()).mfa.totp);
    await fill(page, 'Code', String(codes[1]).toLowerCase().replaceAll('-', ' '));
    await press(page, 'Turn off');
    await said(page, 'The second factor is off.');
    t.equal((await row()).mfa.totp, undefined);
    t.equal((await login(EMAIL)).statusCode, 200);
    await section(page).getByRole('button', { name: 'Set up' }).waitFor();
  },
);

t.test('new recovery codes replace the old ones', async (t) => {
  const world = await accountPage(t);
  const { open, clock, row, login, post } = world;
  const page = await open();
  const secret = await turnedOn(page, world);
  const [old] = await codesOf(page);
  await saveCodes(page);
  await said(page, 'The second factor is on.');
  await press(page, 'New recovery codes');
  clock.advance(STEP);
  await fill(page, 'Code', codeAt(secret, clock.now));
  await prove(page, 'Get new codes', 'not my password at all');
  t.match(await besideFocus(page), /not your current password/);
  const before = (await row()).mfa.recovery?.hashes;
  await prove(page, 'Get new codes');
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  const codes = await codesOf(page);
  await saveCodes(page);
  await said(page, 'Your new recovery codes are in force.');
  t.strictNotSame((await row()).mfa.recovery?.hashes, before);
  const answer = async (recovery_code: string | undefined) => {
    const { mfa_token } = (await login(EMAIL)).json<{ mfa_token: string }>();
    return post('/v1/login/mfa', { mfa_token, recovery_code });
  };
  refused(t, await answer(old), 401, 'invalid_code');
  for (const code of codes.slice(0, 7)) t.equal((await answer(code)).statusCode, 200);
  await page.reload();
  await section(page).getByText('only 3 recovery codes are left').waitFor();
});

t.test(
  'a dialog whose request is under way cannot be left: its codes are shown once',
  async (t) => {
    const world = await accountPage(t);
    const { open, clock, row } = world;
    const page = await open();
    const secret = await turnedOn(page, world);
    await saveCodes(page);
    await said(page, 'The second factor is on.');
    const before = (await row()).mfa.recovery?.hashes;
    await press(page, 'New recovery codes');
    clock.advance(STEP);
    await fill(page, 'Code', codeAt(secret, clock.now));
    const { letGo } = await held(page, '**/v1/me/mfa/recovery-codes');
    await prove(page, 'Get new codes');
    await tryToLeave(page, 'Cancel');
    t.same((await row()).mfa.recovery?.hashes, before);
    letGo();
    await page.locator('.codes').waitFor();
    await saveCodes(page);
    await said(page, 'Your new recovery codes are in force.');
    await press(page, 'New recovery codes');
    await press(page, 'Cancel');
    t.equal(await page.locator('dialog').count(), 0, 'a dialog at rest can be left');
  },
);

t.test('new codes whose answer is lost are remembered as not saved', async (t) => {
  const world = await accountPage(t);
  const { open, clock } = world;
  const page = await open();
  const secret = await turnedOn(page, world);
  await saveCodes(page);
  await said(page, 'The second factor is on.');
  await press(page, 'New recovery codes');
  await fill(page, 'Code', wrongCode(secret, clock.now));
  await prove(page, 'Get new codes');
  t.match(await besideFocus(page), /code is wrong/);
  await press(page, 'Cancel');
  await page.reload();
  await section(page).getByText('10 recovery codes are left').waitFor();

  await press(page, 'New recovery codes');
  clock.advance(STEP);
  await fill(page, 'Code', codeAt(secret, clock.now));
  await page.route('**/v1/me/mfa/recovery-codes', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await prove(page, 'Get new codes');
  await page.getByRole('alert').getByText('cannot be reached').waitFor();
  await fill(page, 'Code', wrongCode(secret, clock.now));
  await page.unroute('**/v1/me/mfa/recovery-codes');
  await press(page, 'Get new codes');
  t.match(await besideFocus(page), /code is wrong/);
  await press(page, 'Cancel');
  await section(page).getByText('may not be saved').waitFor();
});

t.test('a reload during the setup loses nothing that counts', async (t) => {
  const world = await accountPage(t);
  const { open, row, login } = world;
  const page = await open();
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  const secret = await begun(page);
  await page.reload();
  t.same(asked, ['beforeunload'], 'the browser asks first');
  await section(page).getByText('Off.').waitFor();
  t.equal((await login(EMAIL)).statusCode, 200, 'nobody is locked out by half a setup');
  t.notOk((await tracesOf(page)).includes(secret));

  await turnedOn(page, world);
  const lost = await codesOf(page);
  await page.reload();
  t.same(asked, ['beforeunload', 'beforeunload']);
  await section(page).getByText('may not be saved').waitFor();
  await looksRight(t, page, 'account, codes not saved');
  t.notOk((await tracesOf(page)).includes(String(lost[0])));
  t.ok((await row()).mfa.totp);
  await press(page, 'New recovery codes');
  await fill(page, 'Code', String(lost[2]));
  await prove(page, 'Get new codes');
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await saveCodes(page);
  await section(page).getByText('10 recovery codes are left').waitFor();
});

t.test('after five wrong codes the setup begins again', async (t) => {
  const world = await accountPage(t);
  const { open, clock, row } = world;
  const page = await open();
  const secret = await begun(page);
  for (let tries = 0; tries < 5; tries += 1) {
    await fill(page, 'Code from the app', wrongCode(secret, clock.now));
    await press(page, 'Turn on');
    t.match(await besideFocus(page), /code is wrong/);
  }
  t.equal((await row()).mfa.pending, undefined);
  await press(page, 'Turn on');
  await page.getByRole('dialog').getByText('too many wrong codes').waitFor();
  await prove(page, 'Continue');
  await page.locator('.secret').waitFor();
  const next = String(await page.locator('.secret').textContent()).replaceAll(' ', '');
  t.not(next, secret);
  await fill(page, 'Code from the app', codeAt(next, clock.now));
  await press(page, 'Turn on');
  await page.locator('.codes').waitFor();
});

t.test(
  'a setup whose last answer is lost is complete, and the page reminds of the codes',
  async (t) => {
    const world = await accountPage(t);
    const { open, clock, row } = world;
    const page = await open();
    const secret = await begun(page);
    await page.route('**/totp/confirm', async (route) => {
      await route.fetch();
      await route.abort();
      await page.unroute('**/totp/confirm');
    });
    await fill(page, 'Code from the app', codeAt(secret, clock.now));
    await press(page, 'Turn on');
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    t.ok((await row()).mfa.totp);
    await press(page, 'Turn on');
    await said(page, 'The second factor is on.');
    await section(page).getByText('may not be saved').waitFor();
  },
);

t.test('a setup that another device has finished signs this one out', async (t) => {
  const { open, clock, as, elsewhere, url } = await accountPage(t);
  const page = await open();
  const secret = await begun(page);
  const confirmed = await as(elsewhere.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp/confirm',
    payload: { code: codeAt(secret, clock.now) },
  });
  t.equal(confirmed.statusCode, 200);
  await fill(page, 'Code from the app', codeAt(secret, clock.now));
  await press(page, 'Turn on');
  await page.waitForURL(`${url}/login?next=*`);
  t.notOk((await tracesOf(page)).includes(secret));
});
