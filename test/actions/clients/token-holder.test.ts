import t from 'tap';
import { issueForServiceAccount } from '../../../src/actions/clients/client-credentials.ts';
import { newServiceAccount } from '../../../src/actions/clients/service-accounts.ts';
import { introspect, revoke, withTokenRevoked } from '../../../src/actions/clients/token-holder.ts';
import { refreshSession } from '../../../src/actions/sessions/refresh.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import { AccessTokens } from '../../../src/parts/tokens/access-tokens.ts';
import type { User } from '../../../src/schemas/user.ts';
import { opened, sqliteInMemory } from '../../databases.ts';
import { serviceAccount, signedIn } from '../../people.ts';
import { ada, NOW, session } from '../../rules/samples.ts';
import { testApp } from '../../test-app.ts';

t.test(
  "revoking a person's token ends its session, and makes no tombstone for an unknown one",
  async (t) => {
    const user = ada({ sessions: [session] });
    const after = withTokenRevoked(user, { sid: 'session', ver: 0 }, NOW + 1);
    t.same(after.sessions, [{ ...session, ended_at: NOW + 1 }]);
    t.equal(after.revoked_at, NOW + 1);
    t.equal(withTokenRevoked(user, { sid: 'another', ver: 0 }, NOW + 1), user);
    const changed = { ...user, token_version: 2, access_version: 4 };
    t.equal(
      withTokenRevoked(changed, { sid: 'session', ver: 1 }, NOW + 1),
      changed,
      'nor does a revoked token',
    );
    for (const ver of [2, 3, 4, 5])
      t.match(withTokenRevoked(changed, { sid: 'session', ver }, NOW + 1).sessions, [
        { ended_at: NOW + 1 },
      ]);
  },
);

t.test(
  "revoking a service account's token leaves a tombstone; more than a hundred revoke all its tokens",
  async (t) => {
    let { account } = newServiceAccount({ name: 'reports', roles: [] }, NOW);
    for (let index = 0; index < 100; index += 1)
      account = withTokenRevoked(account, { sid: `token${index}`, ver: 0 }, NOW + index);
    t.equal(account.sessions.length, 100);
    t.equal(account.token_version, 0, 'its other tokens stay valid');
    account = withTokenRevoked(account, { sid: 'one more', ver: 0 }, NOW + 100);
    t.match(account, { token_version: 0, access_version: 1, revoked_at: NOW + 100, sessions: [] });
    const snapshot = new Revocations(() => 0);
    snapshot.learn(account);
    t.ok(snapshot.includes({ sub: account.id, sid: 'token0', ver: 0 }), 'after a restart too');
    t.equal(withTokenRevoked(account, { sid: 'token0', ver: 0 }, NOW + 101), account);
  },
);

t.test('an unexpected error while reading a token is not reported as a bad token', async (t) => {
  const app = await testApp(t);
  const { access_token } = await signedIn(app, 'eve@example.com');
  const { keys, config } = app.context;
  const accessTokens = new AccessTokens({
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    keys,
    revocations: new Revocations(() => 0),
    clock: () => {
      throw new Error('no time');
    },
  });
  const broken = { ...app.context, accessTokens };
  await t.rejects(introspect(broken, access_token), { message: 'no time' });
  await t.rejects(revoke(broken, access_token), { message: 'no time' });
});

t.test('a token of a user without a row is not active, and revokes nothing', async (t) => {
  const database = opened(t, await sqliteInMemory.create());
  const app = await testApp(t, { database });
  const eve = await signedIn(app, 'eve@example.com');
  await database.deleteFrom('users').execute();
  for (const token of [eve.access_token, eve.refresh_token]) {
    t.same(await introspect(app.context, token), { active: false });
    t.equal(await revoke(app.context, token), undefined);
  }
});

t.test("introspection shows the claims of a person's token while it is valid", async (t) => {
  const { context, clock } = await testApp(t);
  const roles = ['editor', 'reader'];
  const eve = await signedIn({ context }, 'eve@example.com', { roles });
  const claims = context.accessTokens.read(eve.access_token);
  const { amr: _amr, auth_time: _time, roles: _roles, ver: _ver, ...told } = claims;
  const access = { active: true, token_type: 'Bearer', ...told, scope: 'editor reader' };
  t.same(await introspect(context, eve.access_token), access);
  const {
    gen: _gen,
    dev: _dev,
    ver,
    ...rest
  } = context.ownTokens.read('refresh', eve.refresh_token) as NonNullable<
    ReturnType<typeof context.ownTokens.read<'refresh'>>
  >;
  const refresh = { active: true, token_type: 'refresh_token', ...rest };
  t.same(await introspect(context, eve.refresh_token), refresh);
  t.equal(ver, 0);

  const once = { transport: 'body' as const, idempotencyKey: undefined };
  await refreshSession(context, { token: eve.refresh_token, ...once });
  t.same(await introspect(context, eve.refresh_token), { active: false }, 'it was rotated');
  t.same(await introspect(context, eve.access_token), access);
  for (const token of ['', 'x', eve.device_token])
    t.same(await introspect(context, token), { active: false });
  const change = (next: Partial<User>) =>
    context.users.change(eve.id, (user) => ({ user: { ...user, ...next }, result: true }));
  await change({ status: 'disabled' });
  t.same(await introspect(context, eve.access_token), { active: false });
  await change({ status: 'active' });
  clock.advance(900_000);
  t.same(await introspect(context, eve.access_token), { active: false });
});

t.test('the access token or the refresh token ends the session, once', async (t) => {
  const { context, clock } = await testApp(t);
  for (const kind of ['access_token', 'refresh_token'] as const) {
    const eve = await signedIn({ context }, `${kind}@example.com`);
    const other = await signedIn({ context }, `other.${kind}@example.com`);
    const whose = { sub: eve.id, sid: eve.session_id };
    t.same(await revoke(context, eve[kind]), whose);
    const row = await context.users.findById(eve.id);
    t.match(row?.sessions, [{ id: eve.session_id, ended_at: clock.now }]);
    for (const token of [eve.access_token, eve.refresh_token])
      t.same(await introspect(context, token), { active: false });
    t.equal(await revoke(context, eve.refresh_token), undefined, 'it has ended already');
    t.match(await introspect(context, other.access_token), { active: true });
  }
  for (const token of ['', 'x']) t.equal(await revoke(context, token), undefined);
});

t.test('the token of a service account is revoked on its own', async (t) => {
  const { context } = await testApp(t);
  const { id } = await serviceAccount({ context }, ['reader']);
  const account = (await context.users.findById(id)) as User;
  const [one, two] = [1, 2].map(
    () => issueForServiceAccount(context, account, {}).access_token,
  ) as [string, string];
  t.match(await introspect(context, one), { active: true, client_id: id, scope: 'reader' });
  t.match(await revoke(context, one), { sub: id });
  t.same(await introspect(context, one), { active: false });
  t.match(await introspect(context, two), { active: true });
});
