import t from 'tap';
import { decoyOf } from '../../src/parts/guessing/decoys.ts';
import { admin, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const app = await testApp(t, { pace: 'real' });
const { as, post, context, clock, login } = app;
const root = await admin(app);
const { id } = decoyOf(context.keys.decoyKey(context.clock()), 'nobody@example.com');
await login('nobody@example.com');
const decoy = () => context.users.findById(id);

t.test('an administrator can neither see nor change the decoy row', async (t) => {
  const { users } = (await as(root.access_token, { url: '/v1/users' })).json();
  t.same(
    users.map(({ id }: { id: string }) => id),
    [root.id],
  );
  const before = await decoy();
  const user = `/v1/users/${id}`;
  for (const request of [
    { method: 'GET', url: user },
    { method: 'PATCH', url: user, payload: { status: 'active' } },
    { method: 'PATCH', url: user, payload: { roles: ['admin'] } },
    { method: 'DELETE', url: user },
    { method: 'DELETE', url: `${user}/sessions` },
    { method: 'DELETE', url: `${user}/mfa` },
    { method: 'DELETE', url: `/v1/service-accounts/${id}` },
    {
      method: 'POST',
      url: `/v1/service-accounts/${id}/secret`,
      payload: { password: PASSWORD },
    },
  ] as const)
    refused(t, await as(root.access_token, request), 404, 'not_found');
  t.same(await decoy(), before);
});

t.test('nobody can sign in as the decoy, with any address', async (t) => {
  for (const email of [`${id}@example.com`, 'null@example.com'])
    refused(t, await login(email), 401, 'invalid_credentials');
  refused(t, await post('/v1/login', { email: id, password: PASSWORD }), 422, 'invalid_input');
  const iat = Math.floor(clock.now / 1_000);
  const { access_token } = await signedIn(app, 'ada@example.com');
  const claims = context.accessTokens.read(access_token);
  const user = await decoy();
  if (user === undefined) throw new Error('there is none');
  const session = { id: claims.sid, amr: ['pwd'], created_at: iat * 1_000 };
  const forged = context.accessTokens.issue(user, session);
  refused(t, await as(forged, { url: '/v1/me' }), 401, 'token_revoked');
});
