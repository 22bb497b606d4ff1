import t from 'tap';
import { PASSWORD } from '../test-app.ts';
import { looksRight } from './looks.ts';
import { visited } from './visitor.ts';

t.test('a newcomer signs up with the mailed link, and signs in', async (t) => {
  const { url, box, visitor, complaints } = await visited(t);
  const page = await visitor();
  await page.goto(`${url}/`);
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('Email address').fill('ada@example.com');
  await looksRight(t, page, 'sign-up');
  await page.getByRole('button', { name: 'Send me the link' }).click();
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
  await looksRight(t, page, 'sign-up, sent');
  const token = await box.token('ada@example.com');
  await page.goto(`${url}/sign-up#token=${token}`);
  await page.getByText('for ada@example.com').waitFor();
  t.equal(page.url(), `${url}/sign-up`, 'the token is not in the address bar');
  await looksRight(t, page, 'sign-up, complete');
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
  await page.locator('#password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.waitForURL(`${url}/account`);
  t.same(complaints, []);
});
