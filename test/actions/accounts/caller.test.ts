import t, { type Test } from 'tap';
import {
  assertStands,
  changeCaller,
  proveCaller,
  readCaller,
  stands,
} from '../../../src/actions/accounts/caller.ts';
import { newServiceAccount } from '../../../src/actions/clients/service-accounts.ts';
import { withTokenRevoked } from '../../../src/actions/clients/token-holder.ts';
import { withEverySessionEnded, withSessionEnded } from '../../../src/rules/sessions.ts';
import type { User } from '../../../src/schemas/user.ts';
import { opened, sqliteInMemory } from '../../databases.ts';
import { butForCounts, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { ada, DAY, NOW, session } from '../../rules/samples.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

t.test("a person's token is valid while the user, the version and the session are", async (t) => {
  const user = ada({ token_version: 1, access_version: 2, sessions: [session] });
  const claims = { sid: 'session', ver: 2 };
  t.equal(stands(user, claims, NOW), true);
  t.equal(stands(user, claims, NOW + DAY - 1), true);
  t.equal(stands(user, claims, NOW + DAY), false, 'the session has expired');
  t.equal(stands(user, { ...claims, sid: 'another' }, NOW), false);
  t.equal(stands(user, { ...claims, ver: 1 }, NOW), false);
  t.equal(stands(user, { ...claims, ver: 3 }, NOW), true, 'the database has lost a write');
  t.equal(stands({ ...user, status: 'disabled' }, claims, NOW), false);
  t.equal(stands({ ...user, status: 'deleted' }, claims, NOW), false);
  t.equal(stands({ ...user, sessions: [{ ...session, ended_at: NOW }] }, claims, NOW), false);
  t.equal(stands({ ...user, sessions: [] }, claims, NOW), false);
});

t.test("a service account's token is valid unless it was revoked", async (t) => {
  const { account } = newServiceAccount({ name: 'reports', roles: [] }, NOW);
  const claims = { sid: 'token', ver: 0 };
  t.equal(stands(account, claims, NOW), true);
  const revoked = withTokenRevoked(account, claims, NOW);
  t.equal(stands(revoked, claims, NOW), false);
  t.equal(stands(revoked, { ...claims, sid: 'another' }, NOW), true);
  t.equal(stands({ ...account, access_version: 1 }, claims, NOW), false);
  t.equal(stands({ ...account, status: 'disabled' }, claims, NOW), false);
});

t.test('the token of a user without a row is refused by routes that read the row', async (t) => {
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
});

const { signal } = new AbortController();
const revoked = { message: 'token_revoked' };

async function callerOf(t: Test) {
  const { context, signUp, clock } = await testApp(t);
  const { access_token } = await signUp();
  const caller = context.accessTokens.read(access_token);
  const change = (next: (user: User) => User) =>
    context.users.change(caller.sub, (user) => ({ user: next(user), result: true }));
  const row = async () => (await context.users.findById(caller.sub)) as User;
  return { context, clock, caller, change, row };
}

const fallen: [string, (user: User, sid: string, now: number) => User][] = [
  ['the session has ended', (user, sid, now) => withSessionEnded(user, sid, now)],
  ['all tokens are revoked', (user, _sid, now) => withEverySessionEnded(user, now)],
  ['the user is disabled', (user) => ({ ...user, status: 'disabled' })],
  ['only the access version has changed', (user) => ({ ...user, access_version: 1 })],
  ['the session is unknown', (user) => ({ ...user, sessions: [] })],
];
for (const [what, next] of fallen) {
  t.test(`a caller is refused when ${what}, and changes nothing`, async (t) => {
    const { context, caller, change, row, clock } = await callerOf(t);
    await change((user) => next(user, caller.sid, clock.now));
    const before = await row();
    t.throws(() => assertStands(before, caller, clock.now), revoked);
    await t.rejects(readCaller(context, caller), revoked);
    await t.rejects(proveCaller(context, caller, { password: PASSWORD, signal }), revoked);
    const write = changeCaller(context, caller, (user) => ({
      user: { ...user, name: 'x' },
      result: 1,
    }));
    await t.rejects(write, revoked);
    t.same(await row(), before);
  });
}

t.test('a caller whose session has expired is refused', async (t) => {
  const { context, caller, clock } = await callerOf(t);
  clock.advance(14 * DAY);
  await t.rejects(readCaller(context, caller), revoked);
});

t.test('a caller whose row is gone is refused', async (t) => {
  const { context, caller } = await callerOf(t);
  const nobody = { ...caller, sub: 'another' };
  await t.rejects(readCaller(context, nobody), revoked);
  await t.rejects(proveCaller(context, nobody, { password: PASSWORD, signal }), revoked);
  await t.rejects(
    changeCaller(context, nobody, () => {
      throw new Error('decided');
    }),
    revoked,
  );
});

t.test('a valid caller can read and change the own row', async (t) => {
  const { context, caller, row } = await callerOf(t);
  t.same(await readCaller(context, caller), await row());
  const result = await changeCaller(context, caller, (user) => ({
    user: { ...user, name: 'Ada' },
    result: undefined,
  }));
  t.equal(result, undefined);
  t.equal((await row()).name, 'Ada');
  t.equal(await changeCaller(context, caller, (user) => ({ user, result: 'told' })), 'told');
});

t.test('only the right password proves the caller', async (t) => {
  const { context, caller, row } = await callerOf(t);
  const proven = await proveCaller(context, caller, { password: PASSWORD, signal });
  t.same(butForCounts(proven), butForCounts(await row()));
  t.same((await row()).throttle, [], 'a right one is not counted');
  const wrong = () => proveCaller(context, caller, { password: `${PASSWORD}!`, signal });
  await t.rejects(wrong(), { message: 'wrong_password' });
  t.match((await row()).throttle, [{ key: `password session ${caller.sid}`, failures: 1 }]);
  await proveCaller(context, caller, { password: PASSWORD, signal });
  t.same((await row()).throttle, [], 'a right one clears the failures of the session');
  for (let turn = 0; turn < 5; turn += 1) await t.rejects(wrong(), { message: 'wrong_password' });
  const late = proveCaller(context, caller, { password: PASSWORD, signal });
  await t.rejects(late, { message: 'throttled' }, 'then every guess has to wait');
});
