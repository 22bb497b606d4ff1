import t, { type Test } from 'tap';
import { factor } from '../people.ts';
import {
  type AccountPage,
  accountPage,
  fill,
  press,
  prove,
  said,
  saidOfThisDevice,
  signIn,
} from './account-page.ts';
import { virtualAuthenticator } from './virtual-authenticator.ts';

/** How the newest session that goes on was signed in. */
const amrOf = async ({ row }: AccountPage) =>
  (await row()).sessions.filter(({ ended_at }) => ended_at === undefined).at(-1)?.amr;

/** The account of somebody whose mailbox is proven, and the authenticator of the browser. */
async function start(t: Test) {
  const world = await accountPage(t, { changes: { email_verified_at: 1 } });
  const page = await world.open();
  return { world, page, device: await virtualAuthenticator(page) };
}
type Started = Awaited<ReturnType<typeof start>>;

/** The sign-in page would use the passkey at once, so its user does not answer yet. */
async function signOut({ world, page, device }: Started) {
  await device.answers(false);
  await press(page, 'Sign out');
  await page.waitForURL(`${world.url}/login?next=*`);
}

/** Until the proof of the sign-in is too old. The access token is not: the reload has renewed it. */
async function letProofAge({ world, page }: Pick<Started, 'world' | 'page'>) {
  world.clock.advance(899_000);
  await page.reload();
  world.clock.advance(2_000);
}

t.test('a user adds a passkey, signs in with it, renames it and removes it', async (t) => {
  const { world, page, device } = await start(t);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey “Browser on Linux”.');
  t.equal(await device.count(), 1);
  t.match((await world.row()).passkeys, [{ name: 'Browser on Linux', transports: ['internal'] }]);

  await press(page, 'Add a passkey');
  await said(page, 'This device has a passkey of your account already.');

  await signOut({ world, page, device });
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await device.answers(true);
  await press(page, 'Sign in with a passkey');
  await page.waitForURL(`${world.url}/account`);
  t.same(await amrOf(world), ['hwk', 'user']);
  await saidOfThisDevice(page, 'with a passkey');

  await press(page, 'Rename Browser on Linux');
  await page.locator('dialog').getByRole('textbox', { name: 'Name' }).fill('Laptop');
  await press(page, 'Save');
  await said(page, 'The passkey has a new name.');
  await press(page, 'Remove Laptop');
  await press(page, 'Remove');
  await said(page, 'The passkey “Laptop” is removed.');
  t.same((await world.row()).passkeys, []);
  t.same(world.complaints, []);
});

t.test('a passkey is offered among the suggestions of the address field', async (t) => {
  const { world, page, device } = await start(t);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey');
  await signOut({ world, page, device });
  t.equal(await page.locator('#email').getAttribute('autocomplete'), 'username webauthn');
  // The user chooses the suggestion.
  await device.answers(true);
  await page.reload();
  await page.waitForURL(`${world.url}/account`);
  t.same(await amrOf(world), ['hwk', 'user']);
  t.same(world.complaints, []);
});

t.test('a passkey is the second factor after the password, and a proof later', async (t) => {
  const { world, page, device } = await start(t);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey');
  await world.change({ mfa: factor(world, world.elsewhere).mfa });
  await signOut({ world, page, device });
  await signIn(page);
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await device.answers(true);
  await press(page, 'Use a passkey instead');
  await page.waitForURL(`${world.url}/account`);
  t.same(await amrOf(world), ['pwd', 'hwk', 'user', 'mfa']);
  await saidOfThisDevice(page, 'with a password');

  // The proof of the sign-in is too old now.
  await page.getByRole('heading', { name: 'Passkeys' }).waitFor();
  await letProofAge({ world, page });
  await press(page, 'Remove Browser on Linux');
  await press(page, 'Remove');
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  await press(page, 'Use a passkey');
  await said(page, 'The passkey “Browser on Linux” is removed.');
  t.same((await world.row()).passkeys, []);
  t.same(world.complaints, []);
});

t.test('the password is a proof too, and who gives none changes nothing', async (t) => {
  const { world, page } = await start(t);
  await letProofAge({ world, page });
  await press(page, 'Add a passkey');
  await press(page, 'Cancel');
  t.same((await world.row()).passkeys, []);
  await press(page, 'Add a passkey');
  await prove(page, 'Go on');
  await said(page, 'You can now sign in with the passkey');
  t.equal((await world.row()).passkeys.length, 1);
  t.same(world.complaints, []);
});

t.test('with a second factor a code is asked for, not the password', async (t) => {
  const { world, page } = await start(t);
  const { mfa, code } = factor(world, world.elsewhere);
  const { sessions } = await world.row();
  const amr = ['pwd', 'otp', 'mfa'];
  await world.change({ mfa, sessions: sessions.map((session) => ({ ...session, amr })) });
  await letProofAge({ world, page });
  await press(page, 'Add a passkey');
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  const dialog = page.locator('dialog');
  t.equal(await dialog.locator('input[type=password]').count(), 0);
  await fill(page, 'Code', code());
  await press(page, 'Go on');
  await said(page, 'You can now sign in with the passkey');
  t.equal((await world.row()).passkeys.length, 1);
  t.same(world.complaints, []);
});

t.test('a removed passkey, and one that its user does not confirm, do not sign in', async (t) => {
  const { world, page, device } = await start(t);
  await press(page, 'Add a passkey');
  await said(page, 'You can now sign in with the passkey');
  await signOut({ world, page, device });
  await world.change({ passkeys: [] });
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await device.answers(true);
  await press(page, 'Sign in with a passkey');
  await said(page, 'This passkey does not sign in here.');
  await device.clear();
  await press(page, 'Sign in with a passkey');
  await said(page, 'No passkey was used.');
  t.equal(new URL(page.url()).pathname, '/login');
});
