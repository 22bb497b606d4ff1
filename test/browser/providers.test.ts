import t, { type Test } from 'tap';
import { outsideProvider, slotOf } from '../oidc-provider.ts';
import { factor, signedIn } from '../people.ts';
import { accountPage, press, said, saidOfThisDevice, signIn } from './account-page.ts';
import { looksRight } from './looks.ts';
import { visited } from './visitor.ts';

const NAME = 'Harbour ID';

/** A provider that calls itself so, and what the service needs to know of it. */
async function harbour(t: Test, claims = { email: 'ada@example.com', email_verified: true }) {
  const provider = await outsideProvider(t);
  provider.people.set('ada', claims);
  return { provider, env: slotOf(provider, '1', { NAME }) };
}

/** The service as the provider knows it, and at its time. */
function meet<World extends { url: string; clock: { now: number } }>(
  world: World,
  provider: { serve(issuer: string): void },
): World {
  provider.serve(world.url);
  world.clock.now = Date.now();
  return world;
}

t.test('a newcomer signs up and in with a provider, and needs no password', async (t) => {
  const { provider, env } = await harbour(t);
  const world = meet(await visited(t, { env }), provider);
  const page = await world.visitor();
  await page.goto(`${world.url}/sign-up`);
  await page.getByRole('link', { name: `Continue with ${NAME}` }).click();
  await page.waitForURL(`${world.url}/account`);
  await page.getByText('Signed in as ada@example.com').waitFor();
  await page.getByText('Confirmed', { exact: true }).waitFor();

  await press(page, `Unlink ${NAME}`);
  await press(page, 'Unlink');
  await page
    .locator('dialog')
    .getByText('Without it, only a code by mail could sign you in. Add another way first.')
    .waitFor();
  await press(page, 'Cancel');
  await page.locator('dialog').waitFor({ state: 'detached' });

  await press(page, 'Sign out');
  await page.waitForURL(`${world.url}/login?next=*`);
  await looksRight(t, page, 'login');
  await page.getByRole('link', { name: `Continue with ${NAME}` }).click();
  await page.waitForURL(`${world.url}/account`);
  await page.getByText('Signed in as ada@example.com').waitFor();
  t.same(world.complaints, []);
});

t.test('who cancels, or whose provider is down, reads so on the page to sign in', async (t) => {
  const { provider, env } = await harbour(t);
  const world = meet(await visited(t, { env }), provider);
  const page = await world.visitor();
  await page.goto(`${world.url}/login?next=/account%23devices`);
  const go = page.getByRole('link', { name: `Continue with ${NAME}` });
  provider.user = undefined;
  await go.click();
  await said(page, 'You were not signed in there, or it took too long. Please try again.');
  t.equal(page.url(), `${world.url}/login?next=%2Faccount%23devices`);
  provider.user = 'ada';
  provider.people.set('ada', { email: 'ada@example.com', email_verified: false });
  await go.click();
  await said(page, 'That account is not linked with one here.');
  t.same(world.complaints, []);
});

t.test('the owner links a provider, signs in with it, and unlinks it', async (t) => {
  const { provider, env } = await harbour(t, { email: 'x@example.com', email_verified: false });
  const world = meet(await accountPage(t, { env }), provider);
  const page = await world.open();
  await press(page, `Link ${NAME}`);
  await said(page, `You can now sign in with ${NAME}.`);
  t.equal(page.url(), `${world.url}/account#identities`);
  t.equal((await world.row()).identity_1, `${provider.issuer}|ada`);
  await looksRight(t, page, 'account');

  await press(page, 'Sign out');
  await page.waitForURL(`${world.url}/login?next=*`);
  await page.getByRole('link', { name: `Continue with ${NAME}` }).click();
  await page.getByText('Signed in as ada@example.com').waitFor();
  await saidOfThisDevice(page, 'with an account elsewhere');

  // The proof is too old now: she signs in again.
  world.clock.advance(899_000);
  await page.reload();
  await page.getByText('Signed in as ada@example.com').waitFor();
  world.clock.advance(2_000);
  await press(page, `Unlink ${NAME}`);
  await press(page, 'Unlink');
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  world.clock.now = Date.now();
  await page.getByRole('link', { name: `Sign in again with ${NAME}` }).click();
  await page.getByText('Signed in as ada@example.com').waitFor();
  await press(page, `Unlink ${NAME}`);
  await press(page, 'Unlink');
  await said(page, `${NAME} no longer signs in here.`);
  t.match((await world.row()).identity_1, /^!/);

  const identity_1 = `${provider.issuer}|ada`;
  await signedIn(world, 'grace@example.com', { identity_1 });
  await press(page, `Link ${NAME}`);
  await said(page, 'That account is linked with another account here');
  t.same(world.complaints, []);
});

t.test('the second factor is asked for, and its token stays out of the address', async (t) => {
  const { provider, env } = await harbour(t);
  const world = meet(await accountPage(t, { env }), provider);
  const { mfa, code } = factor(world, world.elsewhere);
  await world.change({ mfa, identity_1: `${provider.issuer}|ada` });
  const page = await world.visitor();
  const asked: string[] = [];
  page.on('request', (request) => void asked.push(request.url()));
  await page.goto(`${world.url}/login?next=/account%23devices`);
  await page.getByRole('link', { name: `Continue with ${NAME}` }).click();
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  t.equal(page.url(), `${world.url}/login?next=%2Faccount%23devices`);
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await press(page, 'Go on');
  await page.getByText('This code is wrong.').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(code());
  await press(page, 'Go on');
  await page.waitForURL(`${world.url}/account#devices`);
  t.same((await world.row()).sessions.at(-1)?.amr, ['fed', 'otp', 'mfa']);
  t.notMatch(asked.filter((url) => !url.includes('#')).join(' '), /mfa_token/);
  t.same(
    world.complaints.filter((text) => !/401/.test(text)),
    [],
  );
});

t.test('without a provider the pages do not speak of any', async (t) => {
  const world = await accountPage(t);
  const page = await world.visitor();
  await page.goto(`${world.url}/login`);
  await signIn(page);
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
  t.equal(await page.locator('#identities').isVisible(), false);
  t.same(world.complaints, []);
});

t.test('the cookie is there after a provider has answered with a form', async (t) => {
  const { provider, env } = await harbour(t);
  const world = meet(await visited(t, { env }), provider);
  const page = await world.visitor();
  provider.answersWithForm = true;
  const methods: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/callback')) methods.push(request.method());
  });
  await page.goto(`${world.url}/login`);
  await page.getByRole('link', { name: `Continue with ${NAME}` }).click();
  await page.getByText('Signed in as ada@example.com').waitFor();
  t.same(methods, ['POST', 'GET']);
});

t.test('a code in the address that every object has is no sentence', async (t) => {
  const world = await visited(t);
  const page = await world.visitor();
  for (const code of ['constructor', 'toString', '__proto__', 'no_such_code']) {
    await page.goto(`${world.url}/login?error=${code}`);
    await said(page, 'Something went wrong on our side. Please try again later.');
  }
  t.same(world.complaints, []);
});
