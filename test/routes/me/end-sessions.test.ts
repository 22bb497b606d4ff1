import t from 'tap';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { signUp, login, as, refresh, context, events } = await testApp(t);
const first = await signUp();
const endAll = (token: string) => as(token, { method: 'DELETE', url: '/v1/me/sessions' });
const whoami = async (token: string) => (await as(token, { url: '/v1/whoami' })).statusCode;

t.test(
  'REF-10 every session of the user ends at once, including this one, and nobody else is affected',
  async (t) => {
    const eve = await signUp('eve@example.com');
    const second = (await login()).json();
    const successor = (await refresh(second.refresh_token)).json();
    const answer = await endAll(first.access_token);
    t.equal(answer.statusCode, 204);
    t.match(answer.cookies, [{ name: '__Secure-latchkey_refresh', value: '', maxAge: 0 }]);
    t.equal(
      events().findLast((name) => !name.startsWith('mail.')),
      'session.all_ended',
    );
    for (const { access_token, refresh_token } of [first, second, successor]) {
      refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
      refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
    }
    t.equal(await whoami(eve.access_token), 200);
  },
);

t.test('REF-10 a sign-in in the same millisecond is not ended', async (t) => {
  const before = (await login()).json();
  await endAll(before.access_token);
  const after = (await login()).json();
  t.equal(await whoami(before.access_token), 401);
  t.equal(await whoami(after.access_token), 200);
});

t.test('a revoked token ends nothing', async (t) => {
  const live = (await login()).json();
  const row = await context.users.findByEmail('ada@example.com');
  refused(t, await endAll(first.access_token), 401, 'token_revoked');
  t.same(await context.users.findByEmail('ada@example.com'), row);
  t.equal(await whoami(live.access_token), 200);
});
