import t from 'tap';
import { stands } from '../../src/domain/fresh.ts';
import { newServiceAccount } from '../../src/domain/service-accounts.ts';
import { ended } from '../../src/domain/token-holder.ts';
import type { Session } from '../../src/schemas/user.ts';
import { opened, sqliteInMemory } from '../databases.ts';
import { signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';
import { ada, DAY, NOW } from './samples.ts';

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

t.test("a person's token stands with the user, the version and the session", async (t) => {
  const user = ada({ token_version: 2, sessions: [session] });
  const claims = { sid: 'session', ver: 2 };
  t.equal(stands(user, claims, NOW), true);
  t.equal(stands(user, claims, NOW + DAY - 1), true);
  t.equal(stands(user, claims, NOW + DAY), false, 'the session has run out');
  t.equal(stands(user, { ...claims, sid: 'another' }, NOW), false);
  t.equal(stands(user, { ...claims, ver: 1 }, NOW), false);
  t.equal(stands(user, { ...claims, ver: 3 }, NOW), false);
  t.equal(stands({ ...user, status: 'disabled' }, claims, NOW), false);
  t.equal(stands({ ...user, status: 'deleted' }, claims, NOW), false);
  t.equal(stands({ ...user, sessions: [{ ...session, ended_at: NOW }] }, claims, NOW), false);
  t.equal(stands({ ...user, sessions: [] }, claims, NOW), false);
});

t.test("a machine's token stands unless it was revoked by itself", async (t) => {
  const { account } = newServiceAccount({ name: 'machine', roles: [] }, NOW);
  const claims = { sid: 'token', ver: 0 };
  t.equal(stands(account, claims, NOW), true);
  const revoked = ended(account, 'token', NOW);
  t.equal(stands(revoked, claims, NOW), false);
  t.equal(stands(revoked, { ...claims, sid: 'another' }, NOW), true);
  t.equal(stands({ ...account, token_version: 1 }, claims, NOW), false);
  t.equal(stands({ ...account, status: 'disabled' }, claims, NOW), false);
});

t.test(
  'the token of a user who is gone from the table opens no route that reads the row',
  async (t) => {
    const database = opened(t, await sqliteInMemory.create());
    const app = await testApp(t, { database });
    const { access_token } = await signedIn(app, 'eve@example.com', { roles: ['admin'] });
    await database.deleteFrom('users').execute();
    for (const request of [
      { url: '/v1/me' },
      { url: '/v1/users' },
      { method: 'PATCH', url: '/v1/me', payload: { name: 'Eve' } },
      { method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } },
      { method: 'DELETE', url: '/v1/me/sessions' },
    ] as const) {
      refused(t, await app.as(access_token, request), 401, 'token_revoked');
    }
  },
);
