import t, { type Test } from 'tap';
import {
  type Amendment,
  administer,
  assertKind,
  changeKeepingAnAdmin,
  decideDeletion,
  inviteUser,
  withAmendment,
} from '../../../src/actions/administration/administration.ts';
import { mayReset } from '../../../src/actions/tokens/mailed-tokens.ts';
import { EmailTaken } from '../../../src/parts/storage/users.ts';
import { withoutPersonalData } from '../../../src/rules/accounts.ts';
import { REVOCATION_LIFE } from '../../../src/rules/sessions.ts';
import type { Session, User } from '../../../src/schemas/user.ts';
import { type Engine, opened, postgres, sqliteInMemory, usersOf } from '../../databases.ts';
import {
  audit,
  butForCounts,
  form,
  type SignedIn,
  serviceAccount,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { ada, NOW, session as sample } from '../../rules/samples.ts';
import { PASSWORD, type TestApp, testApp } from '../../test-app.ts';
import { appWithLetters } from '../letters.ts';

const session: Session = { ...sample, expires_at: NOW + REVOCATION_LIFE };
const LATER = NOW + 1;

t.test('an amendment changes only the fields that it names', async (t) => {
  const user = ada({ roles: ['reader'], sessions: [session] });
  t.same(withAmendment(user, {}, LATER), { ...user, updated_at: LATER });
  t.same(withAmendment(user, { name: null }, LATER), { ...user, name: null, updated_at: LATER });
  t.same(withAmendment(user, { name: undefined, roles: undefined, status: undefined }, LATER), {
    ...user,
    updated_at: LATER,
  });
});

t.test(
  'removing a role revokes access tokens, disabling revokes all tokens, and other changes revoke none',
  async (t) => {
    const user = ada({ roles: ['reader', 'writer'], sessions: [session] });
    for (const [change, die] of [
      [{ roles: ['writer', 'reader'] }, 'none'],
      [{ roles: ['reader', 'writer', 'admin'] }, 'none'],
      [{ roles: ['reader'] }, 'access'],
      [{ roles: ['reader', 'admin'] }, 'access'],
      [{ roles: [] }, 'access'],
      [{ status: 'active' }, 'none'],
      [{ status: 'disabled' }, 'all'],
      [{ status: 'disabled', roles: ['reader'] }, 'all'],
    ] as const) {
      const next = withAmendment(user, structuredClone(change) as Amendment, LATER);
      const told = JSON.stringify(change);
      t.equal(next.access_version, die === 'none' ? 0 : 1, told);
      t.equal(next.token_version, die === 'all' ? 1 : 0, told);
      t.equal(next.revoked_at, die === 'none' ? null : LATER, told);
      t.equal(next.sessions[0]?.ended_at, die === 'all' ? LATER : undefined, told);
    }
    const disabled = ada({ status: 'disabled', token_version: 3 });
    t.match(withAmendment(disabled, { status: 'disabled' }, LATER), { token_version: 3 });
    t.match(withAmendment(disabled, { status: 'active' }, LATER), {
      token_version: 3,
      status: 'active',
    });
  },
);

t.test('a row of the other kind, or of a deleted user, is not found', async (t) => {
  t.doesNotThrow(() => assertKind(ada(), 'person'));
  t.doesNotThrow(() => assertKind(ada({ status: 'disabled' }), 'person'));
  t.throws(() => assertKind(ada(), 'service'), { code: 'not_found' });
  t.throws(() => assertKind(ada({ kind: 'service' }), 'person'), { code: 'not_found' });
  t.throws(() => assertKind(ada({ status: 'deleted' }), 'person'), { code: 'not_found' });
});

t.test('an invited user has no password, and gets a link to choose one', async (t) => {
  const { context, posted } = await appWithLetters(t);
  const invited = { email: 'Ada@example.com', name: 'Ada', roles: ['editor'] };
  const user = await inviteUser(context, invited);
  t.same(await context.users.findByEmail('ada@example.com'), user);
  const unproven = { password_hash: null, email_verified_at: null, created_at: NOW };
  t.match(user, { ...invited, ...unproven, kind: 'person', status: 'active', sessions: [] });
  const [letter, ...more] = await posted();
  t.match(letter, { to: 'Ada@example.com', subject: 'You are invited to Latchkey' });
  t.same(more, []);
  const {
    sub = '',
    was = '',
    iat,
    exp,
  } = context.ownTokens.read('reset', letter?.token ?? '') ?? {};
  t.same([sub, Number(exp) - Number(iat)], [user.id, 86_400]);
  t.equal(mayReset(user, was), true);
  const again = { ...invited, email: 'ADA@example.com' };
  await t.rejects(inviteUser(context, again), { constructor: EmailTaken, message: '' });
  t.same(await posted(), []);
});

t.test('deleting a user empties the row, and returns the user as it was', async (t) => {
  const user = ada({ roles: ['reader'], sessions: [session] });
  t.same(decideDeletion(user, LATER), { user: withoutPersonalData(user, LATER), result: user });
});

const demoted = (user: User) => ({ user: { ...user, roles: [] }, result: 'demoted' });
const rowsOf = async (t: Test, ...people: Partial<User>[]) => {
  const { users } = await usersOf(t, sqliteInMemory);
  const rows = people.map((changes, index) =>
    ada({ id: `${index}`, email_key: `${index}`, roles: ['admin'], ...changes }),
  );
  for (const row of rows) await users.insert(row);
  const versions = async () =>
    Promise.all(rows.map(async ({ id }) => (await users.findById(id))?.row_version));
  return { users, context: { users, clock: () => LATER }, versions };
};

t.test('no change can leave the service without an administrator', async (t) => {
  const { users, context } = await rowsOf(t, {}, { roles: ['administrator'] });
  const changes: Partial<User>[] = [
    { roles: [] },
    { status: 'disabled' },
    { status: 'deleted' },
    { kind: 'service' },
  ];
  for (const next of changes) {
    const change = changeKeepingAnAdmin(context, '0', (user) => ({
      user: { ...user, ...next },
      result: true,
    }));
    await t.rejects(change, { code: 'last_admin' }, JSON.stringify(next));
  }
  t.same((await users.findById('0'))?.roles, ['admin']);
  const renamed = await changeKeepingAnAdmin(context, '0', (user, now) => ({
    user: { ...user, name: 'Root', updated_at: now },
    result: 'renamed',
  }));
  t.equal(renamed, 'renamed');
  t.match(await users.findById('0'), { name: 'Root', updated_at: LATER, roles: ['admin'] });
});

t.test('the remaining administrator is checked in the same transaction', async (t) => {
  const { context, versions } = await rowsOf(t, {}, {});
  t.equal(await changeKeepingAnAdmin(context, '0', demoted), 'demoted');
  t.same(await versions(), [1, 1]);
});

t.test('changing a user who is not an administrator needs no witness', async (t) => {
  const states: Partial<User>[] = [{ status: 'disabled' }, { kind: 'service' }, { roles: ['x'] }];
  for (const state of states) {
    const { context, versions } = await rowsOf(t, state, {});
    t.equal(await changeKeepingAnAdmin(context, '0', demoted), 'demoted', JSON.stringify(state));
    t.same(await versions(), [1, 0]);
  }
  const { context } = await rowsOf(t);
  t.equal(await changeKeepingAnAdmin(context, 'nobody', demoted), undefined);
});

t.test('only a user of the given ID and kind is changed', async (t) => {
  const { context, versions } = await rowsOf(t, { roles: [] });
  const act = (id: string, kind: User['kind']) => administer(context, { id, kind }, demoted);
  await t.rejects(act('nobody', 'person'), { code: 'not_found' });
  await t.rejects(act('0', 'service'), { code: 'not_found' });
  t.same(await versions(), [0]);
  t.equal(await act('0', 'person'), 'demoted');
  const none = administer(context, { id: '0', kind: 'person' }, (user) => ({
    user,
    result: undefined,
  }));
  t.equal(await none, undefined, 'an undefined result is not a refusal');
});

/** The ways to stop being an administrator. */
const ways = {
  demote: (id: string) => ({
    method: 'PATCH',
    url: `/v1/users/${id}`,
    payload: { roles: ['editor'] },
  }),
  disable: (id: string) => ({
    method: 'PATCH',
    url: `/v1/users/${id}`,
    payload: { status: 'disabled' },
  }),
  remove: (id: string) => ({ method: 'DELETE', url: `/v1/users/${id}` }),
  leave: () => ({ method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } }),
} as const;
type Way = keyof typeof ways;
const names = Object.keys(ways) as Way[];

const go = ({ as }: TestApp, { access_token }: SignedIn, way: Way, id: string) =>
  as(access_token, ways[way](id));

t.test('the last administrator cannot stop being one in any way', async (t) => {
  const app = await testApp(t);
  const password_hash = await app.context.passwords.hash(PASSWORD);
  const roles = ['admin', 'editor'];
  const root = await signedIn(app, 'root@example.com', { roles, password_hash });
  // None of these can act as an administrator.
  await signedIn(app, 'user@example.com', { roles: ['administrator', 'editor'] });
  await signedIn(app, 'off@example.com', { roles, status: 'disabled' });
  await signedIn(app, 'gone@example.com', { roles, status: 'deleted', email: null });
  await signedIn(app, 'invited@example.com', { roles, password_hash: null });
  await serviceAccount(app, ['admin']);

  const row = () => app.context.users.findById(root.id);
  const before = await row();
  for (const way of names) refused(t, await go(app, root, way, root.id), 409, 'last_admin');
  const both = { roles: [], status: 'disabled' };
  const url = `/v1/users/${root.id}`;
  const answer = await app.as(root.access_token, { method: 'PATCH', url, payload: both });
  refused(t, answer, 409, 'last_admin');
  t.same(butForCounts(await row()), butForCounts(before), 'the row is unchanged');
  t.same(audit(app), []);
  t.notOk(
    app.events().some((event) => /^(account|mail)/.test(event)),
    'no notice is sent',
  );
  t.equal((await app.as(root.access_token, { url })).statusCode, 200, 'the session goes on');

  const more = await app.as(root.access_token, {
    method: 'PATCH',
    url,
    payload: { roles: ['admin'], name: 'Root' },
  });
  t.equal(more.statusCode, 200, 'other fields may change');
});

t.test('with another administrator, every way works', async (t) => {
  const app = await testApp(t);
  const password_hash = await app.context.passwords.hash(PASSWORD);
  await signedIn(app, 'other@example.com', { roles: ['admin'] });
  for (const way of names) {
    const root = await signedIn(app, `${way}@example.com`, { roles: ['admin'], password_hash });
    t.equal(Math.floor((await go(app, root, way, root.id)).statusCode / 100), 2, way);
  }
});

t.test(
  'a user who is not an administrator can be deleted even if no administrator exists',
  async (t) => {
    const app = await testApp(t);
    const password_hash = await app.context.passwords.hash(PASSWORD);
    const user = await signedIn(app, 'user@example.com', { password_hash });
    t.equal((await go(app, user, 'leave', user.id)).statusCode, 204, 'deleted');
  },
);

const ROUNDS = 4;

/** Requests to one node, or to two on one database, in many rounds. */
async function racing(t: Test, engine: Engine, nodes: 1 | 2) {
  const url = await engine.create();
  const db = opened(t, url);
  const here = await testApp(t, { database: db });
  const there = nodes === 1 ? here : await testApp(t, { database: opened(t, url) });
  const password_hash = await here.context.passwords.hash(PASSWORD);
  let count = 0;
  const admins = async (many: number) => {
    await db.deleteFrom('users').execute();
    return Promise.all(
      Array.from({ length: many }, () => {
        count += 1;
        return signedIn(here, `admin${count}@example.com`, { roles: ['admin'], password_hash });
      }),
    );
  };
  const left = async () =>
    (await here.context.users.list({ kind: 'person', limit: 100 })).filter(
      ({ status, roles }) => status === 'active' && roles.includes('admin'),
    ).length;

  const pairs = names.flatMap((one, index) => names.slice(index).map((two) => [one, two] as const));

  t.test('when two administrators stop at once, one of them stays', async (t) => {
    for (const [one, two] of pairs) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [a, b] = (await admins(2)) as [SignedIn, SignedIn];
        const answers = await Promise.all([go(here, a, one, a.id), go(there, b, two, b.id)]);
        const refusals = answers.filter(({ statusCode }) => statusCode >= 400);
        t.equal(refusals.length, 1, `${one} and ${two}`);
        if (refusals[0]) refused(t, refusals[0], 409, 'last_admin');
        t.equal(await left(), 1);
      }
    }
  });

  t.test('when two administrators demote each other at once, one of them stays', async (t) => {
    for (const [one, two] of pairs.filter((pair) => !pair.includes('leave'))) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [a, b] = (await admins(2)) as [SignedIn, SignedIn];
        const answers = await Promise.all([go(here, a, one, b.id), go(there, b, two, a.id)]);
        const done = answers.filter(({ statusCode }) => statusCode < 300);
        t.equal(done.length, 1, `${one} and ${two}`);
        t.ok(answers.every(({ statusCode }) => [200, 204, 401, 409].includes(statusCode)));
        t.equal(await left(), 1);
      }
    }
  });

  t.test('when five administrators stop at once, one of them stays', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const five = await admins(5);
      const answers = await Promise.all(
        five.map((each, index) =>
          go(index % 2 ? here : there, each, names[index % 3] as Way, each.id),
        ),
      );
      const statuses = answers.map(({ statusCode }) => statusCode);
      t.equal(statuses.filter((status) => status === 409).length, 1, String(statuses));
      t.equal(await left(), 1);
    }
  });
}

t.test('on SQLite', async (t) => racing(t, sqliteInMemory, 1));

t.test('on PostgreSQL', async (t) => {
  const server = await postgres(t);
  await racing(t, server, 2);

  t.test('PostgreSQL accepts no NUL in a text, so no ID has one', async (t) => {
    const app = await testApp(t, { database: opened(t, await server.create()) });
    const root = await signedIn(app, 'root@example.com', { roles: ['admin'] });
    for (const id of ['%00', `${root.id}%00`]) {
      refused(t, await app.as(root.access_token, { url: `/v1/users/${id}` }), 404, 'not_found');
    }
    const fields = { grant_type: 'client_credentials', client_id: '\0', client_secret: '\0' };
    t.equal((await form(app, '/oauth/token', fields)).statusCode, 401);
    const prefix = await app.as(root.access_token, { url: '/v1/users?email=%00' });
    refused(t, prefix, 422, 'invalid_input');
  });
});

t.test('an administrator who was just demoted cannot undo it', async (t) => {
  const app = await testApp(t);
  const root = await signedIn(app, 'root@example.com', { roles: ['admin'] });
  const other = await signedIn(app, 'other@example.com', { roles: ['admin'] });
  const patch = (by: SignedIn, id: string, roles: string[]) =>
    app.as(by.access_token, { method: 'PATCH', url: `/v1/users/${id}`, payload: { roles } });
  for (let round = 0; round < 5; round += 1) {
    const demoted = await signedIn(app, `demoted${round}@example.com`, { roles: ['admin'] });
    await Promise.all([
      patch(root, demoted.id, []),
      patch(demoted, demoted.id, ['admin', 'editor']),
      patch(other, demoted.id, []),
    ]);
    t.same((await app.context.users.findById(demoted.id))?.roles, []);
  }
  // The access check passed before the demotion. The row has changed since.
  const caller = app.context.accessTokens.read(other.access_token);
  await app.context.users.change(other.id, (user) => ({
    user: { ...user, roles: [], access_version: user.access_version + 1 },
    result: true,
  }));
  await t.rejects(
    administer(app.context, { id: other.id, kind: 'person', caller }, (user) => ({
      user: { ...user, roles: ['admin'] },
      result: true,
    })),
    { message: 'token_revoked' },
  );
  t.same((await app.context.users.findById(other.id))?.roles, []);
});
