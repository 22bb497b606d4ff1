import t from 'tap';
import {
  admin,
  audit,
  type SignedIn,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const ISSUER = 'http://localhost:3000';
const app = await testApp(t);
const { as, context, refresh, inject } = app;
const client = await serviceAccount(app, ['sessions:revoke']);
const token = await serviceAccountToken(app, client);
const revoke = (sub_id: object, by = token) =>
  as(by, { method: 'POST', url: '/v1/global-token-revocation', payload: { sub_id } });

t.test('a service account with the role revokes every token of a user', async (t) => {
  const subjects: [string, (user: SignedIn) => object][] = [
    ['ada@example.com', () => ({ format: 'email', email: ' ADA@example.com' })],
    ['bob@example.com', ({ id }) => ({ format: 'opaque', id })],
    ['eve@example.com', ({ id }) => ({ format: 'iss_sub', iss: ISSUER, sub: id })],
  ];
  for (const [email, subject] of subjects) {
    const user = await signedIn(app, email, { roles: ['editor'] });
    t.equal((await revoke(subject(user))).statusCode, 204, email);
    refused(t, await as(user.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await refresh(user.refresh_token), 401, 'refresh_invalid');
    t.match(await context.users.findById(user.id), { status: 'active', roles: ['editor'] });
    t.same(audit(app).at(-1), {
      event: 'client.sessions_revoked',
      actor: client.id,
      user: user.id,
    });
    t.equal((await app.login(email)).statusCode, 200, 'with the same password');
  }
  t.equal((await as(token, { url: '/v1/whoami' })).statusCode, 200, 'its own goes on');
});

t.test('an unknown subject and a service account get 404, another form 422', async (t) => {
  const lines = audit(app).length;
  const { id } = await signedIn(app, 'dan@example.com');
  for (const subject of [
    { format: 'email', email: 'nobody@example.com' },
    { format: 'opaque', id: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b' },
    { format: 'opaque', id: client.id },
    { format: 'iss_sub', iss: 'https://other.example.com', sub: id },
  ])
    refused(t, await revoke(subject), 404, 'not_found');
  for (const subject of [
    { format: 'phone_number', phone_number: '+12065550100' },
    { format: 'email' },
    { format: 'opaque', id, email: 'dan@example.com' },
    {},
  ])
    refused(t, await revoke(subject), 422, 'invalid_input');
  t.equal(audit(app).length, lines);
});

t.test('neither an administrator nor a service account without the role may', async (t) => {
  const { id } = await signedIn(app, 'carol@example.com');
  const other = await serviceAccountToken(app, await serviceAccount(app, ['editor']));
  const root = await admin(app);
  for (const by of [other, root.access_token])
    refused(t, await revoke({ format: 'opaque', id }, by), 403, 'forbidden');
  const metadata = await inject({ url: '/.well-known/oauth-authorization-server' });
  t.match(metadata.json(), {
    global_token_revocation_endpoint: `${ISSUER}/v1/global-token-revocation`,
    global_token_revocation_endpoint_auth_methods_supported: ['Bearer'],
  });
});
