import t from 'tap';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const ORIGIN = 'https://app.example.com';
const COOKIE = '__Secure-latchkey_refresh';

const { post, inject, as, signUp, login, refresh, context, clock, events } = await testApp(t, {
  env: { CORS_ORIGINS: ORIGIN },
});
const ada = await signUp();
const signIn = async () => (await login()).json();
const row = () => context.users.findByEmail('ada@example.com');
const logout = (refresh_token: string) => post('/v1/logout', { refresh_token });
const whoami = async (token: string) => (await as(token, { url: '/v1/whoami' })).statusCode;

t.test('REF-09 the session of a refresh token ends, and no other', async (t) => {
  const session = await signIn();
  const answer = await logout(session.refresh_token);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  t.equal(await whoami(session.access_token), 401);
  refused(t, await refresh(session.refresh_token), 401, 'refresh_invalid');
  t.equal(await whoami(ada.access_token), 200);
  t.equal(
    events().findLast((event) => !event.startsWith('mail.')),
    'session.ended',
  );
});

t.test('REF-09 a second sign-out gets 204 again, writes nothing and logs no event', async (t) => {
  const session = await signIn();
  await logout(session.refresh_token);
  const before = await row();
  const ended = () => events().filter((event) => event === 'session.ended').length;
  const seen = ended();
  t.equal((await logout(session.refresh_token)).statusCode, 204);
  const bearer = await as(session.access_token, { method: 'POST', url: '/v1/logout' });
  t.equal(bearer.statusCode, 204);
  t.same(await row(), before);
  t.equal(ended(), seen);
});

t.test('the session of an access token ends', async (t) => {
  const session = await signIn();
  const answer = await as(session.access_token, { method: 'POST', url: '/v1/logout' });
  t.equal(answer.statusCode, 204);
  refused(t, await refresh(session.refresh_token), 401, 'refresh_invalid');
  t.equal(await whoami(ada.access_token), 200);
});

t.test('every generation of the refresh token can sign out', async (t) => {
  const session = await signIn();
  const successor = (await refresh(session.refresh_token)).json();
  t.equal((await logout(session.refresh_token)).statusCode, 204);
  refused(t, await refresh(successor.refresh_token), 401, 'refresh_invalid');
});

t.test('REF-09 an invalid token ends nothing, and gets 204 too', async (t) => {
  const before = await row();
  for (const token of ['x', ada.access_token, ada.device_token, `${ada.refresh_token}x`])
    t.equal((await logout(token)).statusCode, 204);
  t.same(await row(), before);
});

t.test('an invalid access token is refused, as on every bearer route', async (t) => {
  const bad = await as('x.y.z', { method: 'POST', url: '/v1/logout' });
  refused(t, bad, 401, 'token_invalid');
  refused(t, await inject({ method: 'POST', url: '/v1/logout' }), 401, 'token_missing');
  refused(t, await post('/v1/logout', {}), 401, 'token_missing');
});

t.test(
  'REF-09 COO-06 with a cookie the session ends and the cookie is cleared, each time',
  async (t) => {
    const body = { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' };
    const signedIn = await post('/v1/login', body);
    const cookie = `${COOKIE}=${signedIn.cookies[0]?.value}`;
    for (const _ of [1, 2]) {
      const answer = await post('/v1/logout', undefined, { cookie, origin: ORIGIN });
      t.equal(answer.statusCode, 204);
      t.match(answer.cookies, [
        { name: COOKIE, value: '', maxAge: 0, path: '/v1', secure: true, httpOnly: true },
      ]);
    }
    t.equal(await whoami(signedIn.json().access_token), 401);
  },
);

t.test('another site cannot sign a user out', async (t) => {
  const body = { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' };
  const signedIn = await post('/v1/login', body);
  const cookie = `${COOKIE}=${signedIn.cookies[0]?.value}`;
  const before = await row();
  for (const origin of ['https://evil.example', 'null', undefined]) {
    const answer = await post('/v1/logout', undefined, { cookie, ...(origin && { origin }) });
    refused(t, answer, 403, 'origin_forbidden');
    t.equal(answer.headers['set-cookie'], undefined);
  }
  t.same(await row(), before);
});

t.test('an expired access token is refused, and ends nothing', async (t) => {
  const session = await signIn();
  clock.advance(900_000);
  const answer = await as(session.access_token, { method: 'POST', url: '/v1/logout' });
  refused(t, answer, 401, 'token_expired');
  t.equal((await refresh(session.refresh_token)).statusCode, 200);
});

t.test('a deleted user has no session to end', async (t) => {
  const eve = await signUp('eve@example.com');
  const body = { method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } } as const;
  t.equal((await as(eve.access_token, body)).statusCode, 204);
  t.equal((await logout(eve.refresh_token)).statusCode, 204);
  clock.advance(1_000_000);
  await context.revocationFeed.poll();
  t.equal((await logout(eve.refresh_token)).statusCode, 204, 'the row was removed too');
});

t.test(
  'REF-09 a refresh token signs out even if the access token beside it has expired',
  async (t) => {
    const session = await signIn();
    clock.advance(900_000);
    const headers = { authorization: `Bearer ${session.access_token}` };
    const { refresh_token } = session;
    t.equal((await post('/v1/logout', { refresh_token }, headers)).statusCode, 204);
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  },
);

t.test('REF-09 beside an invalid refresh token, the access token ends its session', async (t) => {
  for (const refresh_token of ['junk', ada.device_token]) {
    const session = await signIn();
    const headers = { authorization: `Bearer ${session.access_token}` };
    t.equal((await post('/v1/logout', { refresh_token }, headers)).statusCode, 204);
    t.equal(await whoami(session.access_token), 401);
    refused(t, await refresh(session.refresh_token), 401, 'refresh_invalid');
  }
  const [one, two] = [await signIn(), await signIn()];
  const headers = { authorization: `Bearer ${one.access_token}` };
  await post('/v1/logout', { refresh_token: two.refresh_token }, headers);
  t.equal(await whoami(two.access_token), 401);
  t.equal(await whoami(one.access_token), 200, 'one sign-out ends one session');
  const bad = { authorization: 'Bearer x.y.z' };
  t.equal((await post('/v1/logout', { refresh_token: 'junk' }, bad)).statusCode, 204);
});
