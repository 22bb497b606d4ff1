import t from 'tap';
import { subjectsOf } from '../../oidc-provider.ts';
import { enrolled, offered, requested, signInWith, withPasskey } from '../../passkeys.ts';
import { admin, agedToken, audit, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, login, refresh } = app;
const posted = subjectsOf(app);
const root = await admin(app);
const read = async (id: string) => (await as(root.access_token, { url: `/v1/users/${id}` })).json();
const remove = (id: string, token = root.access_token) =>
  as(token, { method: 'DELETE', url: `/v1/users/${id}/passkeys` });

t.test('passkeys of a user no longer sign in, and all sessions have ended', async (t) => {
  const eve = await withPasskey(app, 'eve@example.com');
  const other = await enrolled(app, eve.access_token);
  t.match(await read(eve.id), { password: true, passkeys: 2, sessions: 1 });
  const begun = await requested(app);
  const unfinished = eve.passkey.create(await offered(app, eve.access_token));
  posted.length = 0;

  const answer = await remove(eve.id);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  t.match(await read(eve.id), { password: true, passkeys: 0, sessions: 0 });
  refused(t, await signInWith(app, eve.passkey.get(begun)), 401, 'passkey_refused');
  refused(t, await signInWith(app, other.get(await requested(app))), 401, 'passkey_refused');
  refused(t, await as(eve.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await refresh(eve.refresh_token), 401, 'refresh_invalid');
  const payload = { passkey: unfinished, name: 'Late' };
  const late = await as(eve.access_token, { method: 'POST', url: '/v1/me/passkeys', payload });
  refused(t, late, 401, 'token_revoked');
  t.equal((await login('eve@example.com')).statusCode, 200);
  t.same(audit(app), [
    { event: 'admin.passkeys_removed', actor: root.id, user: eve.id, before: { passkeys: 2 } },
  ]);
  t.equal(posted[0], 'eve@example.com: Your passkeys were removed');
});

t.test('without passkeys nothing happens, and nobody is told', async (t) => {
  const [mails, lines] = [posted.length, audit(app).length];
  const ann = await signedIn(app, 'ann@example.com');
  const before = await context.users.findById(ann.id);
  t.equal((await remove(ann.id)).statusCode, 204);
  t.same(await context.users.findById(ann.id), before);
  t.equal((await as(ann.access_token, { url: '/v1/whoami' })).statusCode, 200);
  t.equal(posted.length, mails);
  t.equal(audit(app).length, lines);
});

t.test('an administrator removes the last way in, and the owner comes in by mail', async (t) => {
  const kay = await withPasskey(app, 'kay@example.com', { password_hash: null });
  t.match(await read(kay.id), { password: false, passkeys: 1 });
  // Nothing new comes in by this, so no recent proof is asked for.
  const aged = await agedToken(app, root.id);
  t.equal((await remove(kay.id, aged)).statusCode, 204);
  t.match(await read(kay.id), { password: false, passkeys: 0 });
  const mails = posted.length;
  await app.post('/v1/password/forgot', { email: 'kay@example.com' });
  t.same(posted.slice(mails), ['kay@example.com: Choose a new password']);
});

t.test('a disabled user loses them too, and comes back without them', async (t) => {
  const dan = await withPasskey(app, 'dan@example.com');
  const set = (status: string) =>
    as(root.access_token, { method: 'PATCH', url: `/v1/users/${dan.id}`, payload: { status } });
  t.equal((await set('disabled')).statusCode, 200);
  t.equal((await remove(dan.id)).statusCode, 204);
  t.match((await set('active')).json(), { status: 'active', passkeys: 0 });
});

t.test('administrators remove their own passkeys with a recent proof only', async (t) => {
  const [mails, lines] = [posted.length, audit(app).length];
  const self = await withPasskey(app, 'self@example.com', { roles: ['admin'] });
  const before = await context.users.findById(self.id);
  refused(t, await remove(self.id, self.access_token), 403, 'forbidden');
  t.same(await context.users.findById(self.id), before);
  t.same(posted.slice(mails), ['self@example.com: A passkey was added']);
  t.equal(audit(app).length, lines);
  t.equal((await remove(self.id)).statusCode, 204, 'another administrator can');
  t.match(await read(self.id), { roles: ['admin'], passkeys: 0 });
});

t.test('a service account, a deleted user and an unknown ID get 404', async (t) => {
  const [mails, lines] = [posted.length, audit(app).length];
  const gone = await signedIn(app, 'gone@example.com', { email: null, status: 'deleted' });
  for (const id of [
    (await serviceAccount(app)).id,
    gone.id,
    '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  ])
    refused(t, await remove(id), 404, 'not_found');
  t.equal(posted.length, mails);
  t.equal(audit(app).length, lines);
});
