import t from 'tap';
import { PASSWORD, testApp } from '../../test-app.ts';

const { signUp, as, post, refresh, context, clock } = await testApp(t);
const first = await signUp();
const time = (instant: number) => new Date(instant).toISOString();
const list = async (token: string) =>
  (await as(token, { url: '/v1/me/sessions' })).json<{ sessions: { id: string }[] }>().sessions;

t.test('REF-14 a user sees all devices, with this one marked, and no tokens', async (t) => {
  const began = clock.now;
  await signUp('eve@example.com');
  clock.advance(60_000);
  await refresh(first.refresh_token, { 'idempotency-key': 'attempt 1' });
  const body = { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' };
  const phone = (await post('/v1/login', body, { 'user-agent': 'Phone/1.0' })).json();
  const answer = await as(phone.access_token, { url: '/v1/me/sessions' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  t.strictSame(answer.json(), {
    sessions: [
      {
        id: first.session_id,
        client: 'lightMyRequest',
        transport: 'body',
        amr: ['pwd'],
        created_at: time(began),
        refreshed_at: time(clock.now),
        expires_at: time(clock.now + 14 * 86_400_000),
        current: false,
      },
      {
        id: phone.session_id,
        client: 'Phone/1.0',
        transport: 'cookie',
        amr: ['pwd'],
        created_at: time(clock.now),
        refreshed_at: time(clock.now),
        expires_at: time(clock.now + 14 * 86_400_000),
        current: true,
      },
    ],
  });
});

t.test('ended and expired sessions are not shown', async (t) => {
  const third = (await post('/v1/login', { email: 'ada@example.com', password: PASSWORD })).json();
  await post('/v1/logout', { refresh_token: first.refresh_token });
  t.notOk((await list(third.access_token)).some(({ id }) => id === first.session_id));
  clock.advance(14 * 86_400_000);
  const last = (await post('/v1/login', { email: 'ada@example.com', password: PASSWORD })).json();
  t.match(await list(last.access_token), [{ id: last.session_id, current: true }]);
  t.equal((await list(last.access_token)).length, 1);
  const user = await context.users.findByEmail('ada@example.com');
  t.equal(user?.sessions.length, 1, 'and not kept');
});
