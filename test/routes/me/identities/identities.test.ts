import t, { type Test } from 'tap';
import type { User } from '../../../../src/schemas/user.ts';
import {
  cookieHeader,
  cookiesIn,
  errorAt,
  followedAt,
  HTML,
  outsideProvider,
  pathOf,
  presentClock,
  sendIdToken,
  signInAt,
  slotOf,
  subjectsOf,
} from '../../../oidc-provider.ts';
import { agedToken, factor, PASSWORD_HASH, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { type TestApp, testApp } from '../../../test-app.ts';

const provider = await outsideProvider(t);
const LIST = '/v1/me/identities';

async function start(t: Test, changes: Partial<User> = {}, env: Record<string, string> = {}) {
  provider.user = 'ada';
  // An address that nobody has verified: the owner links it all the same.
  provider.people.set('ada', { email: 'elsewhere@example.com' });
  const app = await testApp(t, { clock: presentClock(), env: { ...slotOf(provider), ...env } });
  const ada = await signedIn(app, 'ada@example.com', changes);
  return { app, ada, token: ada.access_token, rowOf: () => app.context.users.findById(ada.id) };
}

const leave = ({ as }: TestApp, token: string, payload = {}, slot = '1') =>
  as(token, { method: 'POST', url: `${LIST}/${slot}/redirect`, payload });

const happened = ({ events }: TestApp) => events().filter((name) => !name.startsWith('mail.'));

/** To the provider, and back in this browser. */
async function linkAt(app: TestApp, token: string, more = {}) {
  const left = await leave(app, token, more);
  const back = await followedAt(provider, left.json<{ url: string }>().url);
  return { path: pathOf(back), cookie: cookieHeader(cookiesIn(left)) };
}

const comeBack = ({ inject }: TestApp, { path, cookie }: { path: string; cookie: string }) =>
  inject({ url: path, headers: { ...HTML, cookie } });

const unlink = ({ as }: TestApp, token: string, slot = '1') =>
  as(token, { method: 'DELETE', url: `${LIST}/${slot}` });

const linkWith = (app: TestApp, token: string, claims = {}) =>
  sendIdToken(app, provider, claims, { url: LIST, token });

t.test('a user links a provider in the browser, signs in with it, and unlinks it', async (t) => {
  const { app, token, rowOf } = await start(t);
  const posted = subjectsOf(app);
  const listed = async () => (await app.as(token, { url: LIST })).json();
  const shown = { provider: '1', name: 'Provider 1' };
  t.same(await listed(), { identities: [{ ...shown, linked: false }] });

  const answer = await comeBack(
    app,
    await linkAt(app, token, { return_to: '/account#identities' }),
  );
  t.equal(answer.headers.location, 'http://localhost:3000/account#identities');
  t.notMatch(answer.headers['set-cookie'], /latchkey_refresh/, 'it is no sign-in');
  t.same(await listed(), { identities: [{ ...shown, linked: true }] });
  t.equal((await signInAt(app, provider)).headers.location, 'http://localhost:3000/account');
  t.equal((await rowOf())?.email, 'ada@example.com');

  // Once more: nothing changes, and nobody is told.
  await comeBack(app, await linkAt(app, token));
  t.equal((await unlink(app, token)).statusCode, 204);
  refused(t, await unlink(app, token), 404, 'not_found');
  t.equal(errorAt(await signInAt(app, provider)), 'provider_unlinked');
  t.same(happened(app), ['identity.linked', 'sign_in.ok', 'identity.unlinked', 'sign_in.refused']);
  t.same(posted, [
    'ada@example.com: A sign-in with another provider was added',
    'ada@example.com: A sign-in with another provider was removed',
  ]);
});

t.test('what a user has unlinked stays so, whatever address it has', async (t) => {
  const { app, ada, token, rowOf } = await start(t);
  provider.people.set('ada', { email: 'ada@example.com', email_verified: true });
  const through = cookiesIn(await signInAt(app, provider)).get('__Secure-latchkey_refresh') ?? '';
  t.equal((await rowOf())?.identity_1, `${provider.issuer}|ada`, 'linked by the address');
  t.equal((await unlink(app, token)).statusCode, 204);
  const origin = 'http://localhost:3000';
  const cookie = `__Secure-latchkey_refresh=${through}`;
  const begunThere = await app.post('/v1/refresh', undefined, { origin, cookie });
  refused(t, begunThere, 401, 'refresh_invalid');
  t.equal((await app.as(token, { url: LIST })).json().identities[0].linked, false);
  t.equal(errorAt(await signInAt(app, provider)), 'provider_unlinked');
  refused(t, await unlink(app, token), 404, 'not_found');
  t.equal((await rowOf())?.sessions.filter(({ ended_at }) => ended_at === undefined).length, 1);

  // Another user links and unlinks the same account there: no two rows may have the same mark.
  const grace = await signedIn(app, 'grace@example.com');
  t.equal((await linkWith(app, grace.access_token)).statusCode, 201);
  t.equal((await unlink(app, grace.access_token)).statusCode, 204);

  t.equal((await linkWith(app, token)).statusCode, 201, 'the user links it again');
  t.equal((await signInAt(app, provider)).headers.location, 'http://localhost:3000/account');
  t.equal((await app.refresh(ada.refresh_token)).statusCode, 200);
});

t.test('a sign-in that waits for its second step ends with the provider', async (t) => {
  const { app, ada, token } = await start(t, {
    identity_1: `${provider.issuer}|ada`,
    password_hash: PASSWORD_HASH,
  });
  const { mfa, code } = factor(app, ada);
  await app.context.users.change(ada.id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const half = async () => (await sendIdToken(app, provider, {})).json<{ mfa_token: string }>();
  const { mfa_token } = await half();
  app.clock.advance(1_000);
  t.equal((await unlink(app, token)).statusCode, 204);
  const late = await app.post('/v1/login/mfa', { mfa_token, code: code() });
  refused(t, late, 401, 'challenge_invalid');
  app.clock.advance(1_000);
  const { mfa_token: next } = (await app.login('ada@example.com')).json();
  const answer = await app.post('/v1/login/mfa', { mfa_token: next, code: code() });
  t.equal(answer.statusCode, 200, 'a later one does not');
});

t.test('an app links a provider with an ID token, which is used once', async (t) => {
  const { app, token, rowOf } = await start(t);
  const answer = await linkWith(app, token);
  t.equal(answer.statusCode, 201, answer.payload);
  t.same(answer.json(), { provider: '1', name: 'Provider 1', linked: true });
  t.match(await rowOf(), { identity_1: `${provider.issuer}|ada`, used_nonces: { length: 1 } });
  t.equal((await linkWith(app, token)).statusCode, 201, 'linked already');
  t.same(happened(app), ['identity.linked']);
  refused(t, await linkWith(app, token, { aud: 'x' }), 401, 'provider_refused');
  refused(t, await linkWith(app, token, { sub: 'grace' }), 409, 'identity_taken');
});

t.test('an account at a provider belongs to one user', async (t) => {
  const { app, token } = await start(t);
  await signedIn(app, 'grace@example.com', { identity_1: `${provider.issuer}|ada` });
  refused(t, await linkWith(app, token), 409, 'identity_taken');
  const answer = await comeBack(app, await linkAt(app, token));
  t.equal(answer.headers.location, 'http://localhost:3000/account?error=identity_taken');
  const plain = await linkAt(app, token);
  const { path, cookie } = plain;
  refused(t, await app.inject({ url: path, headers: { cookie } }), 409, 'identity_taken');
  t.same(happened(app), [], 'nothing happened');
});

t.test('only the session that has left links, while it lives', async (t) => {
  const { app, ada, token } = await start(t);
  const mine = await linkAt(app, token);
  const grace = await signedIn(app, 'grace@example.com');
  const theirs = await linkAt(app, grace.access_token);
  const crossed = await comeBack(app, { path: mine.path, cookie: theirs.cookie });
  t.equal(errorAt(crossed), 'provider_refused', 'another browser');
  await app.as(token, { method: 'DELETE', url: `/v1/me/sessions/${ada.session_id}` });
  t.equal(errorAt(await comeBack(app, mine)), 'token_revoked', 'signed out meanwhile');
  const cancelled = await leave(app, grace.access_token);
  provider.user = undefined;
  const back = await followedAt(provider, cancelled.json<{ url: string }>().url);
  const cookie = cookieHeader(cookiesIn(cancelled));
  const answer = await comeBack(app, { path: pathOf(back), cookie });
  t.equal(answer.headers.location, 'http://localhost:3000/account?error=provider_refused');
  t.same((await app.context.users.findById(ada.id))?.identity_1, null);
});

t.test('to link and to unlink needs a recent proof and a proven mailbox', async (t) => {
  const { app, ada, token } = await start(t, { identity_1: `${provider.issuer}|ada` });
  const aged = await agedToken(app, ada.id);
  refused(t, await leave(app, aged), 401, 'step_up_required');
  refused(t, await linkWith(app, aged), 401, 'step_up_required');
  refused(t, await unlink(app, aged), 401, 'step_up_required');
  const { access_token } = await signedIn(app, 'grace@example.com', { email_verified_at: null });
  refused(t, await leave(app, access_token), 403, 'email_unverified');
  refused(t, await linkWith(app, access_token), 403, 'email_unverified');
  refused(t, await leave(app, token, {}, '2'), 404, 'not_found');
  refused(t, await leave(app, token, { return_to: 'https://evil.example' }), 422, 'invalid_input');
  refused(t, await unlink(app, token, '5'), 404, 'not_found');
});

t.test('the last way in cannot be removed', async (t) => {
  const identity_1 = `${provider.issuer}|ada`;
  const { app, token } = await start(t, { identity_1, password_hash: null });
  refused(t, await unlink(app, token), 409, 'last_way_in');
  const grace = await signedIn(app, 'grace@example.com', {
    identity_1: `${provider.issuer}|grace`,
    identity_3: 'https://gone.example|grace',
    // Its provider was in another slot when it was linked.
    identity_4: `${provider.issuer}|grace`,
    password_hash: null,
  });
  refused(t, await unlink(app, grace.access_token), 409, 'last_way_in');
  t.equal((await unlink(app, grace.access_token, '3')).statusCode, 204);
});

t.test('a provider that is no longer configured can still be unlinked', async (t) => {
  const { app, token } = await start(t, { identity_3: 'https://gone.example/x|ada' });
  t.same((await app.as(token, { url: LIST })).json().identities, [
    { provider: '1', name: 'Provider 1', linked: false },
    { provider: '3', name: 'https://gone.example/x', linked: true },
  ]);
  t.equal((await unlink(app, token, '3')).statusCode, 204);
  t.equal((await app.as(token, { url: LIST })).json().identities.length, 1);
});

t.test('a provider that does not answer does not stop the rest of the account', async (t) => {
  const outage = await outsideProvider(t);
  const { app, token } = await start(t, {}, slotOf(outage, '2'));
  outage.fault = 'broken';
  refused(t, await leave(app, token, {}, '2'), 503, 'provider_unavailable');
  t.equal((await app.as(token, { url: LIST })).statusCode, 200);
  t.equal((await leave(app, token)).statusCode, 200);
});
