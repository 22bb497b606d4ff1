import t from 'tap';
import { unlinkedMark } from '../../../src/rules/factors/provider.ts';
import {
  errorAt,
  outsideProvider,
  presentClock,
  sendIdToken,
  signInAt,
  slotOf,
  subjectsOf,
} from '../../oidc-provider.ts';
import { admin, audit, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const provider = await outsideProvider(t);
const app = await testApp(t, { clock: presentClock(), env: slotOf(provider) });
const { as, context, login, refresh } = app;
const posted = subjectsOf(app);
const root = await admin(app);
const read = async (id: string) => (await as(root.access_token, { url: `/v1/users/${id}` })).json();
const unlink = (id: string, token = root.access_token) =>
  as(token, { method: 'DELETE', url: `/v1/users/${id}/identities` });
const identityOf = (sub: string) => `${provider.issuer}|${sub}`;

t.test('no provider signs in until the owner links it again', async (t) => {
  // The provider has verified the address of the account, which would link it at a sign-in.
  provider.user = 'eve';
  provider.people.set('eve', { email: 'eve@example.com', email_verified: true });
  const eve = await signedIn(app, 'eve@example.com', { identity_3: 'https://gone.example/x|eve' });
  const entered = await signInAt(app, provider);
  t.equal(entered.headers.location, 'http://localhost:3000/account', 'linked by the address');
  t.match(await read(eve.id), {
    password: true,
    providers: ['Provider 1', 'https://gone.example/x'],
    sessions: 2,
  });
  posted.length = 0;

  const answer = await unlink(eve.id);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  t.match(await read(eve.id), { providers: [], sessions: 0 });
  const mark = unlinkedMark(eve);
  t.match(await context.users.findById(eve.id), {
    identity_1: mark,
    identity_2: null,
    identity_3: mark,
    identity_4: null,
  });
  refused(t, await as(eve.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await refresh(eve.refresh_token), 401, 'refresh_invalid');
  t.equal(errorAt(await signInAt(app, provider)), 'provider_unlinked');
  const claims = { sub: 'eve', email: 'eve@example.com', email_verified: true };
  refused(t, await sendIdToken(app, provider, claims), 403, 'provider_unlinked');
  t.same(audit(app), [
    {
      event: 'admin.identities_unlinked',
      actor: root.id,
      user: eve.id,
      before: { identities: ['identity_1', 'identity_3'] },
    },
  ]);
  t.same(posted, ['eve@example.com: Your sign-ins with other providers were removed']);

  const again = (await login('eve@example.com')).json<{ access_token: string }>();
  const link = { url: '/v1/me/identities', token: again.access_token };
  t.equal((await sendIdToken(app, provider, claims, link)).statusCode, 201);
  t.equal((await sendIdToken(app, provider, claims)).statusCode, 200);
});

t.test('what is unlinked already stays so: nothing happens, and nobody is told', async (t) => {
  const ann = await signedIn(app, 'ann@example.com', { identity_1: identityOf('ann') });
  t.equal((await unlink(ann.id)).statusCode, 204);
  const [mails, lines] = [posted.length, audit(app).length];
  const before = await context.users.findById(ann.id);
  t.equal((await unlink(ann.id)).statusCode, 204);
  t.same(await context.users.findById(ann.id), before);
  t.equal(posted.length, mails);
  t.equal(audit(app).length, lines);
});

t.test('an administrator unlinks the last way in, and the owner comes in by mail', async (t) => {
  const kay = await signedIn(app, 'kay@example.com', {
    identity_1: identityOf('kay'),
    password_hash: null,
  });
  t.match(await read(kay.id), { password: false, passkeys: 0, providers: ['Provider 1'] });
  t.equal((await unlink(kay.id)).statusCode, 204);
  const mails = posted.length;
  await app.post('/v1/password/forgot', { email: 'kay@example.com' });
  t.same(posted.slice(mails), ['kay@example.com: Choose a new password']);
});

t.test('administrators unlink their own providers with a recent proof only', async (t) => {
  const [mails, lines] = [posted.length, audit(app).length];
  const self = await signedIn(app, 'self@example.com', {
    identity_1: identityOf('self'),
    roles: ['admin'],
  });
  const before = await context.users.findById(self.id);
  refused(t, await unlink(self.id, self.access_token), 403, 'forbidden');
  t.same(await context.users.findById(self.id), before);
  t.equal(posted.length, mails);
  t.equal(audit(app).length, lines);
  t.equal((await unlink(self.id)).statusCode, 204, 'another administrator can');
  t.match(await read(self.id), { roles: ['admin'], providers: [] });
});

t.test('a service account, a deleted user and an unknown ID get 404', async (t) => {
  const [mails, lines] = [posted.length, audit(app).length];
  const gone = await signedIn(app, 'gone@example.com', { email: null, status: 'deleted' });
  for (const id of [
    (await serviceAccount(app)).id,
    gone.id,
    '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  ])
    refused(t, await unlink(id), 404, 'not_found');
  t.equal(posted.length, mails);
  t.equal(audit(app).length, lines);
});
