import t from 'tap';
import {
  admin,
  audit,
  basic,
  form,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context } = app;
const root = await admin(app);
const remove = (id: string) =>
  as(root.access_token, { method: 'DELETE', url: `/v1/service-accounts/${id}` });

t.test('a deleted service account loses its tokens and its secret at once', async (t) => {
  const client = await serviceAccount(app, ['admin']);
  const token = await serviceAccountToken(app, client);
  const other = await serviceAccount(app);
  const lines = audit(app).length;
  const answer = await remove(client.id);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  refused(t, await as(token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await as(token, { url: '/v1/users' }), 401, 'token_revoked');
  const again = await form(
    app,
    '/oauth/token',
    { grant_type: 'client_credentials' },
    basic(client),
  );
  t.equal(again.statusCode, 401);
  const asked = await form(app, '/oauth/introspect', { token }, basic(other));
  t.same(asked.json(), { active: false });
  t.match(await context.users.findById(client.id), {
    status: 'deleted',
    secret_hashes: null,
    roles: [],
  });
  t.same(audit(app).slice(lines, lines + 1), [
    { event: 'admin.service_account_deleted', actor: root.id, user: client.id },
  ]);
});

t.test('a user and a service account that is already deleted get 404', async (t) => {
  const eve = await signedIn(app, 'eve@example.com');
  const client = await serviceAccount(app);
  await remove(client.id);
  const lines = audit(app).length;
  for (const id of [client.id, eve.id, root.id, '0', '%00']) {
    refused(t, await remove(id), 404, 'not_found');
  }
  t.match(await context.users.findById(eve.id), { status: 'active' });
  t.equal(audit(app).length, lines);
});

t.test(
  'a service account that administers can delete itself, and then has no access',
  async (t) => {
    const client = await serviceAccount(app, ['admin']);
    const token = await serviceAccountToken(app, client);
    const url = `/v1/service-accounts/${client.id}`;
    t.equal((await as(token, { method: 'DELETE', url })).statusCode, 204);
    refused(t, await as(token, { method: 'DELETE', url }), 401, 'token_revoked');
  },
);
