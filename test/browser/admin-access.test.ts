import t from 'tap';
import { signedIn } from '../people.ts';
import { PASSWORD, testApp } from '../test-app.ts';
import { administration, openUser, rowOf } from './administration.ts';

t.test('a stranger goes to the sign-in page, and comes back', async (t) => {
  const service = await administration(t);
  await signedIn(service, 'ada@example.com');
  const page = await service.visitor();
  const answers: string[] = [];
  page.on('response', (answer) => {
    const { pathname } = new URL(answer.url());
    if (pathname.startsWith('/v1/')) answers.push(`${answer.status()} ${pathname}`);
  });
  await page.goto(`${service.url}/admin?search=ada`);
  await page.waitForURL(/\/login/);
  t.equal(new URL(page.url()).searchParams.get('next'), '/admin?search=ada');
  t.same(
    answers.filter((answer) => !/ \/v1\/(refresh|login\/passkey\/options)$/.test(answer)),
    [],
    'nothing is asked for without a session',
  );
  await page.locator('#email').fill('root@example.com');
  await page.locator('#password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await rowOf(page, 'ada@example.com').waitFor();
  t.equal(await page.locator('#users-rows tr').count(), 1);
  t.same(service.complaints, []);
});

t.test(
  'a user without the role sees that the page is for administrators, and no data',
  async (t) => {
    const service = await administration(t);
    await signedIn(service, 'ada@example.com', { roles: ['editor'] });
    const page = await service.pageOf('ada@example.com', { path: '/problems/forbidden' });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${service.url}/admin`);
    await page.getByText('This page is for administrators').waitFor();
    t.match(await page.locator('#denied-text').textContent(), /signed in as ada@example.com/);
    t.equal(await page.locator('#console').count(), 0);
    t.notMatch(await page.content(), /root@example.com/);
    t.same(
      asked.filter((path) => /users|service-accounts/.test(path.replace(/^\/pages\/.*/, ''))),
      [],
    );
    t.same(service.complaints, []);
  },
);

t.test('an administrator who loses the role in mid-work sees that, and no more data', async (t) => {
  const service = await administration(t);
  await signedIn(service, 'ada@example.com', { roles: ['admin'] });
  await signedIn(service, 'bob@example.com');
  const page = await service.pageOf('ada@example.com');
  const panel = await openUser(page, 'bob@example.com');
  const ada = await service.context.users.findByEmail('ada@example.com');
  const demoted = await service.as(service.root.access_token, {
    method: 'PATCH',
    url: `/v1/users/${ada?.id}`,
    payload: { roles: [] },
  });
  t.equal(demoted.statusCode, 200);
  await panel.getByRole('button', { name: 'Disable' }).click();
  await page.locator('#question .button.danger').click();
  await page.getByText(/no longer has the role admin/).waitFor();
  t.equal(await page.locator('dialog[open]').count(), 0);
  t.notMatch(await page.content(), /bob@example.com/);
  t.equal((await service.context.users.findByEmail('bob@example.com'))?.status, 'active');
  t.same(service.complaints, []);
});

t.test('an administrator who gives the role up sees no more data', async (t) => {
  const service = await administration(t);
  await signedIn(service, 'ada@example.com', { roles: ['admin'] });
  const page = await service.pageOf('ada@example.com');
  const panel = await openUser(page, 'ada@example.com');
  await panel.getByRole('button', { name: 'Remove the role admin' }).click();
  t.match(await page.locator('#question-text').textContent(), /your own account/);
  await page.locator('#question .button.danger').click();
  await page.getByText('You have removed the role admin from your own account.').waitFor();
  t.notMatch(await page.content(), /root@example.com/);
  t.same((await service.context.users.findByEmail('ada@example.com'))?.roles, []);
  t.same(service.complaints, []);
});

t.test('below a path the page works as well', async (t) => {
  const service = await administration(t, { path: '/auth' });
  const stranger = await service.visitor();
  await stranger.goto(`${service.url}/admin`);
  await stranger.waitForURL(/\/auth\/login/);
  t.equal(new URL(stranger.url()).searchParams.get('next'), '/auth/admin');
  const page = await service.pageOf();
  await rowOf(page, 'root@example.com').waitFor();
  t.same(service.complaints, []);
});

t.test('a sign-out in another tab takes the data from this one', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf();
  await rowOf(page, 'root@example.com').waitFor();
  const other = await page.context().newPage();
  await other.goto(`${service.url}/admin`);
  await other.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login\?next=/);
  t.notMatch(await page.content(), /root@example.com/);
  t.same(service.complaints, []);
});

t.test('without a network the page says so, and starts when there is one', async (t) => {
  const service = await administration(t);
  const page = await service.pageOf('root@example.com', { path: '/problems/forbidden' });
  await page.route('**/v1/me', (route) => route.abort(), { times: 1 });
  await page.goto(`${service.url}/admin`);
  await page.getByText(/cannot be reached/).waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await rowOf(page, 'root@example.com').waitFor();
  t.same(service.complaints, []);
});

t.test('where an application has its own pages, there is no /admin', async (t) => {
  const { app } = await testApp(t, { env: { APP_URL: 'https://app.example.com' } });
  t.equal((await app.inject({ url: '/admin' })).statusCode, 404);
});
