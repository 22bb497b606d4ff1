import t from 'tap';
import { admin, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock, events } = app;
const root = await admin(app);
const read = (id: string) => as(root.access_token, { url: `/v1/users/${id}` });

t.test('an administrator reads the view of a user, and no other columns', async (t) => {
  const changes = {
    name: 'Eve',
    roles: ['editor'],
    email_verified_at: 1,
    last_login_at: clock.now,
  };
  const eve = await signedIn(app, 'Eve@example.com', changes);
  const answer = await read(eve.id);
  t.equal(answer.statusCode, 200);
  const time = new Date(clock.now).toISOString();
  t.strictSame(answer.json(), {
    id: eve.id,
    email: 'Eve@example.com',
    email_verified: true,
    name: 'Eve',
    roles: ['editor'],
    status: 'active',
    password: true,
    passkeys: 0,
    providers: [],
    mfa: false,
    sessions: 1,
    created_at: time,
    updated_at: time,
    last_login_at: time,
    claims: {},
  });
  t.same(events(), [], 'reading logs no event');
});

t.test('sessions that have ended or expired are not counted', async (t) => {
  const carl = await signedIn(app, 'carl@example.com');
  await app.post('/v1/logout', { refresh_token: carl.refresh_token });
  t.equal((await read(carl.id)).json().sessions, 0);
  const dora = await signedIn(app, 'dora@example.com');
  clock.advance(14 * 86_400_000 - 1);
  const later = await signedIn(app, 'root2@example.com', { roles: ['admin'] });
  const count = async () =>
    (await as(later.access_token, { url: `/v1/users/${dora.id}` })).json().sessions;
  t.equal(await count(), 1);
  clock.advance(1);
  t.equal(await count(), 0);
});

t.test('an unknown ID, a service account and a deleted user get 404', async (t) => {
  const { access_token } = await signedIn(app, 'root3@example.com', { roles: ['admin'] });
  const { id } = await serviceAccount(app);
  const gone = await signedIn(app, 'gone@example.com');
  await as(access_token, { method: 'DELETE', url: `/v1/users/${gone.id}` });
  for (const path of [
    id,
    gone.id,
    root.id.toUpperCase(),
    '0',
    '-1',
    '%00',
    `${root.id}%00`,
    '[]',
    "'%20or%20'1'='1",
    '..%2f..',
    '__proto__',
    'x'.repeat(100),
    'x'.repeat(101),
  ]) {
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await as(access_token, { method, url: `/v1/users/${path}` });
      refused(t, answer, 404, 'not_found');
    }
  }
  t.match(await app.context.users.findById(id), { status: 'active' });
});
