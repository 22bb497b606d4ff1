import t from 'tap';
import { admin, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock } = app;
const root = await admin(app);
await signedIn(app, 'eve@example.com');
const ids: string[] = [];
for (let index = 0; index < 5; index += 1) {
  clock.advance(1);
  ids.push((await serviceAccount(app, ['reader'])).id);
}
const get = (query = '') => as(root.access_token, { url: `/v1/service-accounts${query}` });

t.test(
  'an administrator sees every service account, oldest first, without secrets, and no user',
  async (t) => {
    const { service_accounts, next_cursor } = (await get()).json();
    t.strictSame(
      service_accounts,
      ids.map((client_id, index) => ({
        client_id,
        name: 'deploy',
        roles: ['reader'],
        claims: {},
        created_at: new Date(clock.now - 4 + index).toISOString(),
      })),
    );
    t.equal(next_cursor, null);
  },
);

t.test('the pages together list every service account once', async (t) => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { service_accounts: { client_id: string }[]; next_cursor: string | null } = (
      await get(`?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    ).json();
    t.ok(page.service_accounts.length <= 2);
    seen.push(...page.service_accounts.map(({ client_id }) => client_id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  t.same(seen, ids);
});

t.test('invalid pages are refused, and there is no search by address', async (t) => {
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'email=a']) {
    const { errors } = refused(t, await get(`?${query}`), 422, 'invalid_input');
    t.equal(errors?.[0]?.path, `/${query.split('=', 1)[0]}`);
  }
});

t.test('a deleted service account is not listed', async (t) => {
  await as(root.access_token, { method: 'DELETE', url: `/v1/service-accounts/${ids[0]}` });
  t.equal((await get()).json().service_accounts.length, 4);
});
