import t from 'tap';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { signUp, login, as, refresh, context, events } = await testApp(t);
const here = await signUp();
const rowOf = (name: string) => context.users.findByEmail(`${name}@example.com`);
const end = (id: string) =>
  as(here.access_token, { method: 'DELETE', url: `/v1/me/sessions/${id}` });
const whoami = async (token: string) => (await as(token, { url: '/v1/whoami' })).statusCode;

t.test('REF-14 AZN-02 a user signs out one device, and no other', async (t) => {
  const phone = (await login()).json();
  const tablet = (await login()).json();
  t.equal((await end(phone.session_id)).statusCode, 204);
  t.equal(
    events().findLast((name) => !name.startsWith('mail.')),
    'session.ended',
  );
  t.equal(await whoami(phone.access_token), 401);
  refused(t, await refresh(phone.refresh_token), 401, 'refresh_invalid');
  t.equal(await whoami(tablet.access_token), 200);
  t.equal(await whoami(here.access_token), 200);
  refused(t, await end(phone.session_id), 404, 'not_found');
});

t.test("BEA-05 REF-14 another user's session and an unknown one get the same answer", async (t) => {
  const eve = await signUp('eve@example.com');
  const before = [await rowOf('ada'), await rowOf('eve')];
  const foreign = await end(eve.session_id);
  const unknown = await end('AAAAAAAAAAAAAAAAAAAAAA');
  for (const answer of [foreign, unknown]) refused(t, answer, 404, 'not_found');
  t.same({ ...foreign.json(), instance: '' }, { ...unknown.json(), instance: '' });
  for (const id of ['%00', '%2e%2e', '__proto__', 'a%2fb', "'%20or%201=1--", 'x'.repeat(300)])
    refused(t, await end(id), 404, 'not_found');
  t.same([await rowOf('ada'), await rowOf('eve')], before);
  t.equal(await whoami(eve.access_token), 200);
});

t.test('a user can sign out the present device too', async (t) => {
  t.equal((await end(here.session_id)).statusCode, 204);
  refused(t, await end(here.session_id), 401, 'token_revoked');
});
