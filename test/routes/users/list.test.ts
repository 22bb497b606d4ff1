import t from 'tap';
import { admin, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock, context } = app;
const root = await admin(app);
const emails = ['a_b@example.com', 'aXb@example.com', 'a%b@example.com', 'Émile@example.com'];
const ids = [root.id];
for (const email of emails) {
  clock.advance(1);
  ids.push((await signedIn(app, email)).id);
}
await serviceAccount(app);

interface Page {
  users: { id: string; email: string }[];
  next_cursor: string | null;
}
const get = (query = '') => as(root.access_token, { url: `/v1/users${query}` });
const list = async (query = '') => {
  const answer = await get(query);
  t.equal(answer.statusCode, 200, query);
  return answer.json<Page>();
};
const found = async (prefix: string) =>
  (await list(`?email=${encodeURIComponent(prefix)}`)).users.map(({ email }) => email);

t.test('an administrator sees every user, oldest first, and no service account', async (t) => {
  const { users, next_cursor } = await list();
  t.same(
    users.map(({ id }) => id),
    ids,
  );
  t.equal(next_cursor, null);
});

t.test('a row shows no password, no token and no secret', async (t) => {
  const { users } = await list('?limit=1');
  const time = new Date(context.clock() - 4).toISOString();
  t.strictSame(users[0], {
    id: root.id,
    email: 'root@example.com',
    email_verified: true,
    name: null,
    roles: ['admin'],
    status: 'active',
    password: true,
    passkeys: 0,
    providers: [],
    mfa: false,
    sessions: 1,
    created_at: time,
    updated_at: time,
    last_login_at: null,
    claims: {},
  });
});

t.test('the pages together list every user once, even if the last one is full', async (t) => {
  for (const limit of [1, 2, 4, 5]) {
    const seen: string[] = [];
    let pages = 0;
    let cursor: string | null = null;
    do {
      const page: Page = await list(`?limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`);
      t.ok(page.users.length <= limit);
      seen.push(...page.users.map(({ id }) => id));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor !== null);
    t.same(seen, ids, `by ${limit}`);
    t.equal(pages, Math.ceil(ids.length / limit));
  }
});

t.test('a page continues after its cursor even if that user was deleted', async (t) => {
  clock.advance(1);
  const gone = await signedIn(app, 'gone@example.com');
  clock.advance(1);
  const last = await signedIn(app, 'last@example.com');
  const answer = await as(root.access_token, { method: 'DELETE', url: `/v1/users/${gone.id}` });
  t.equal(answer.statusCode, 204);
  const { users, next_cursor } = await list(`?cursor=${gone.id}`);
  t.same(
    users.map(({ id }) => id),
    [last.id],
  );
  t.equal(next_cursor, null);
  t.notOk(
    (await list()).users.some(({ id }) => id === gone.id),
    'nor is a deleted user listed',
  );
});

t.test('a search finds addresses by their start, in upper and lower case', async (t) => {
  t.same(await found('root'), ['root@example.com']);
  t.same(await found('ROOT@Example'), ['root@example.com']);
  t.same(await found('émil'), ['Émile@example.com']);
  t.same(await found('ÉMIL'), ['Émile@example.com']);
  t.same(await found('example.com'), [], 'not by its middle');
  t.same(await found('root@example.com.org'), []);
});

t.test('a search takes wildcard characters literally', async (t) => {
  t.same(await found('a_b'), ['a_b@example.com']);
  t.same(await found('a%b'), ['a%b@example.com']);
  t.same(await found('%'), []);
  t.same(await found('_'), []);
  t.same(await found('\\'), []);
  t.same(await found("a' or 1=1 --"), []);
});

t.test('a search has pages too, sorted by address', async (t) => {
  for (const limit of [1, 2, 3, 4]) {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Page = await list(`?email=A&limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`);
      t.ok(page.users.length <= limit);
      seen.push(...page.users.map(({ email }) => email));
      cursor = page.next_cursor;
    } while (cursor !== null);
    t.same(seen, ['a%b@example.com', 'a_b@example.com', 'aXb@example.com'], `by ${limit}`);
  }
});

t.test('a page of a search continues after its cursor even if that user was deleted', async (t) => {
  for (const email of ['z1@example.com', 'z2@example.com', 'Zé@example.com'])
    await signedIn(app, email);
  const { users, next_cursor } = await list('?email=z&limit=1');
  await as(root.access_token, { method: 'DELETE', url: `/v1/users/${users[0]?.id}` });
  const rest = await list(`?email=z&cursor=${next_cursor}`);
  t.same(
    rest.users.map(({ email }) => email),
    ['z2@example.com', 'Zé@example.com'],
  );
});

const cursorOf = (position: string) => Buffer.from(position).toString('base64url');

t.test(
  'the cursor of a search works only for that search, and other text is refused',
  async (t) => {
    const [a, z] = [await list('?email=a&limit=1'), await list('?email=z&limit=1')];
    for (const query of [
      `email=z&cursor=${a.next_cursor}`,
      `email=z&cursor=${root.id}`,
      `cursor=${z.next_cursor}`,
      `email=z&cursor=${z.next_cursor}A`,
      `email=z&cursor=${z.next_cursor}=`,
      `email=z&cursor=${cursorOf('z\0')}`,
      `email=z&cursor=${Buffer.from('z\xff', 'latin1').toString('base64url')}`,
      'email=z&cursor=z',
      'email=z&cursor=',
      `email=z&cursor=${z.next_cursor}&cursor=${z.next_cursor}`,
    ]) {
      const { errors } = refused(t, await get(`?${query}`), 422, 'invalid_input');
      t.match(errors, [{ path: '/cursor' }], query);
    }
    t.same((await list(`?email=z&cursor=${cursorOf('zü')}`)).users, [], 'after all of them');
  },
);

t.test('a page has fifty rows by default', async (t) => {
  const many = await testApp(t);
  const { access_token } = await admin(many);
  for (let index = 0; index < 100; index += 1) await signedIn(many, `u${index}@example.com`);
  const page = async (query: string) =>
    (await many.as(access_token, { url: `/v1/users${query}` })).json<Page>().users.length;
  t.equal(await page(''), 50);
  t.equal(await page('?limit=100'), 100);
});

for (const query of [
  'limit=0',
  'limit=-1',
  'limit=101',
  'limit=999',
  'limit=1e2',
  'limit=1.5',
  'limit=010',
  'limit=%2010',
  'limit=',
  'limit=1&limit=2',
  'cursor=',
  'cursor=1',
  `cursor=${root.id}x`,
  `cursor=${root.id.slice(0, -1)}`,
  `cursor=${root.id.slice(0, -1)}'`,
  `cursor=${root.id}%00`,
  `cursor=${root.id}&cursor=${root.id}`,
  'email=',
  'email=%00',
  'email=a%0Ab',
  `email=${'a'.repeat(255)}`,
  'email=a&email=b',
  'name=Ada',
  'status=disabled',
]) {
  t.test(`?${query.slice(0, 60)} is refused`, async (t) => {
    const { errors } = refused(t, await get(`?${query}`), 422, 'invalid_input');
    t.equal(errors?.length, 1);
    t.equal(errors?.[0]?.path, `/${query.split('=', 1)[0]}`);
  });
}
