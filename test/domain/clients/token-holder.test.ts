import t from 'tap';
import { newServiceAccount } from '../../../src/domain/clients/service-accounts.ts';
import { ended, introspect, revoke } from '../../../src/domain/clients/token-holder.ts';
import { Revocations } from '../../../src/domain/sessions/revocations.ts';
import { AccessTokens } from '../../../src/domain/tokens/access-tokens.ts';
import type { Session } from '../../../src/schemas/user.ts';
import { opened, sqliteInMemory } from '../../databases.ts';
import { signedIn } from '../../people.ts';
import { testApp } from '../../test-app.ts';
import { ada, DAY, NOW } from '../samples.ts';

const session: Session = {
  id: 'session',
  gen: 0,
  created_at: NOW,
  rotated_at: NOW,
  expires_at: NOW + DAY,
  amr: ['pwd'],
  transport: 'body',
  client: '',
};

t.test("a person's session ends; one that is not there is not made up", async (t) => {
  const user = ada({ sessions: [session] });
  const after = ended(user, 'session', NOW + 1);
  t.same(after.sessions, [{ ...session, ended_at: NOW + 1 }]);
  t.equal(after.revoked_at, NOW + 1);
  t.equal(ended(user, 'another', NOW + 1), user);
});

t.test("a machine's token leaves a tombstone, and never more than a hundred", async (t) => {
  let { account } = newServiceAccount({ name: 'machine', roles: [] }, NOW);
  for (let index = 0; index < 120; index += 1)
    account = ended(account, `token${index}`, NOW + index);
  t.equal(account.sessions.length, 100);
  t.match(account.sessions[0], { id: 'token119', ended_at: NOW + 119 }, 'the newest stay');
  t.equal(account.token_version, 0, 'its other tokens go on');
});

t.test('a fault while a token is read is not taken for a bad token', async (t) => {
  const app = await testApp(t);
  const { access_token } = await signedIn(app, 'eve@example.com');
  const { keys, config } = app.context;
  const accessTokens = new AccessTokens({
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    keys,
    revocations: new Revocations(),
    clock: () => {
      throw new Error('no time');
    },
  });
  const broken = { ...app.context, accessTokens };
  await t.rejects(introspect(broken, access_token), { message: 'no time' });
  await t.rejects(revoke(broken, access_token), { message: 'no time' });
});

t.test(
  'a token whose user is gone from the table is not active, and revokes nothing',
  async (t) => {
    const database = opened(t, await sqliteInMemory.create());
    const app = await testApp(t, { database });
    const eve = await signedIn(app, 'eve@example.com');
    await database.deleteFrom('users').execute();
    for (const token of [eve.access_token, eve.refresh_token]) {
      t.same(await introspect(app.context, token), { active: false });
      t.equal(await revoke(app.context, token), undefined);
    }
  },
);
