import type { Page } from 'playwright-core';
import t from 'tap';
import { mailedCode, wrongMailCode } from '../mail-codes.ts';
import { factor, signedIn } from '../people.ts';
import { saidOfThisDevice } from './account-page.ts';
import { looksRight } from './looks.ts';
import { stateOf, visited } from './visitor.ts';

const EMAIL = 'ada@example.com';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const byMail = (page: Page) => press(page, 'Sign in with a code by mail');

t.test('a user signs in with a code by mail', async (t) => {
  const service = await visited(t);
  const { url, box, visitor, complaints } = service;
  await signedIn(service, EMAIL);
  const page = await visitor();
  await page.goto(`${url}/login?next=/docs`);
  await looksRight(t, page, 'login');
  await byMail(page);
  t.match(await stateOf(page, '#email'), {
    isInvalid: true,
    description: 'Enter your email address.',
    hasFocus: true,
  });
  await page.locator('#email').fill(EMAIL);
  await byMail(page);
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
  t.match(await stateOf(page, '#mail-code'), {
    isInvalid: false,
    description: /If ada@example.com has an account here, a code is on its way/,
    hasFocus: true,
  });
  await looksRight(t, page, 'login, code by mail');
  const code = await mailedCode(box, EMAIL);

  // By keyboard: the field has the focus.
  await page.keyboard.press('Enter');
  t.match(await stateOf(page, '#mail-code'), {
    isInvalid: true,
    description: /Enter the eight digits of the email/,
  });
  await page.keyboard.type(wrongMailCode(code));
  await page.keyboard.press('Enter');
  await page.getByText('This code is wrong, or no longer works.').waitFor();
  t.match(await stateOf(page, '#mail-code'), { isInvalid: true, hasFocus: true });
  await looksRight(t, page, 'login, wrong code by mail');
  await page
    .locator('#mail-code')
    .fill(` ${code.slice(0, 2)} ${code.slice(2, 4)}  ${code.slice(4)} `);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/docs`);
  t.match(
    (await service.context.users.findByEmail(EMAIL))?.sessions.map(({ amr }) => amr),
    [['pwd'], ['otp']],
  );
  t.same(complaints, []);
});

t.test('the code of another browser, and that of an older email, do not sign in', async (t) => {
  const service = await visited(t);
  const { url, box, visitor, complaints } = service;
  await signedIn(service, EMAIL);
  const [page, other] = [await visitor(), await visitor()];
  await page.clock.install();
  for (const each of [page, other]) {
    await each.goto(`${url}/login`);
    await each.locator('#email').fill(EMAIL);
    await byMail(each);
    await each.locator('#mail-code').waitFor();
  }
  const [first, foreign] = [await mailedCode(box, EMAIL), await mailedCode(box, EMAIL)];
  const refuses = async (code: string) => {
    await page.locator('#mail-code').fill(code);
    t.equal((await stateOf(page, '#mail-code')).isInvalid, false);
    await press(page, 'Sign in');
    await page.getByText('This code is wrong, or no longer works.').waitFor();
  };
  await refuses(foreign);
  t.equal(await page.getByRole('button', { name: 'Send another code' }).isVisible(), false);
  await page.clock.fastForward(30_000);
  await press(page, 'Send another code');
  await page.getByText('Only the code in the newest email works here.').waitFor();
  t.equal((await stateOf(page, '#mail-code')).hasFocus, true);
  t.equal(await page.getByRole('button', { name: 'Send another code' }).isVisible(), false);
  const newest = await mailedCode(box, EMAIL);
  await refuses(first);
  await page.locator('#mail-code').fill(newest);
  await press(page, 'Sign in');
  await page.waitForURL(`${url}/account`);
  await saidOfThisDevice(page, 'with a code by mail');
  t.same(complaints, []);
});

t.test('after the code, an account with a second factor asks for it', async (t) => {
  const service = await visited(t);
  const { url, box, visitor, complaints, context } = service;
  const ada = await signedIn(service, EMAIL);
  const { mfa, code } = factor(service, ada);
  await context.users.change(ada.id, (user) => ({ user: { ...user, mfa }, result: 1 }));
  const page = await visitor();
  await page.goto(`${url}/login`);
  await page.locator('#email').fill(EMAIL);
  await byMail(page);
  await press(page, 'Sign in another way');
  t.equal((await stateOf(page, '#email')).hasFocus, true);
  await byMail(page);
  await page.locator('#mail-code').waitFor();
  await mailedCode(box, EMAIL);
  await page.locator('#mail-code').fill(await mailedCode(box, EMAIL));
  await press(page, 'Sign in');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  t.equal((await stateOf(page, '#code')).hasFocus, true);
  await page.locator('#code').fill(code());
  await press(page, 'Go on');
  await page.waitForURL(`${url}/account`);
  t.same((await context.users.findByEmail(EMAIL))?.sessions.at(-1)?.amr, ['otp', 'mfa']);
  t.same(complaints, []);
});
