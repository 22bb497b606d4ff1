import t from 'tap';
import { admin, audit, serviceAccount, serviceAccountToken, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, refresh } = app;
const root = await admin(app);
const end = (id: string) =>
  as(root.access_token, { method: 'DELETE', url: `/v1/users/${id}/sessions` });

t.test('REF-14 a user is signed out everywhere, and can sign in again', async (t) => {
  const password_hash = await context.passwords.hash('correct horse battery staple');
  const eve = await signedIn(app, 'eve@example.com', { password_hash, roles: ['reader'] });
  const second = (await app.login('eve@example.com')).json();
  t.equal((await end(eve.id)).statusCode, 204);
  for (const { access_token, refresh_token } of [eve, second]) {
    refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  }
  t.match(await context.users.findById(eve.id), { status: 'active', roles: ['reader'] });
  t.same(audit(app), [{ event: 'admin.sessions_ended', actor: root.id, user: eve.id }]);
  t.equal((await app.login('eve@example.com')).statusCode, 200);
  t.equal((await as(root.access_token, { url: '/v1/whoami' })).statusCode, 200, "nobody else's");
});

t.test('administrators can end their own sessions', async (t) => {
  const self = await signedIn(app, 'self@example.com', { roles: ['admin'] });
  const url = `/v1/users/${self.id}/sessions`;
  t.equal((await as(self.access_token, { method: 'DELETE', url })).statusCode, 204);
  refused(t, await as(self.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  t.match(await context.users.findById(self.id), { roles: ['admin'], status: 'active' });
});

t.test('a service account and an unknown ID get 404', async (t) => {
  const lines = audit(app).length;
  const client = await serviceAccount(app);
  const token = await serviceAccountToken(app, client);
  refused(t, await end(client.id), 404, 'not_found');
  refused(t, await end('01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b'), 404, 'not_found');
  t.equal((await as(token, { url: '/v1/whoami' })).statusCode, 200);
  t.equal(audit(app).length, lines + 1, 'only the line of the token for the service account');
});
