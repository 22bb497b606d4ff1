import t, { type Test } from 'tap';
import {
  type Amendment,
  administer,
  amended,
  assertIs,
} from '../../../src/domain/administration/administration.ts';
import { REVOCATION_LIFE } from '../../../src/domain/sessions/revocations.ts';
import type { Session } from '../../../src/schemas/user.ts';
import { type Engine, opened, postgres, sqliteInMemory } from '../../databases.ts';
import { audit, butForCounts, form, machine, type SignedIn, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, type TestApp, testApp } from '../../test-app.ts';
import { ada, NOW } from '../samples.ts';

const session: Session = {
  id: 'session',
  gen: 0,
  created_at: NOW,
  rotated_at: NOW,
  expires_at: NOW + REVOCATION_LIFE,
  amr: ['pwd'],
  transport: 'body',
  client: '',
};
const LATER = NOW + 1;

t.test('only what is told of a user changes', async (t) => {
  const user = ada({ roles: ['reader'], sessions: [session] });
  t.same(amended(user, {}, LATER), { ...user, updated_at: LATER });
  t.same(amended(user, { name: null }, LATER), { ...user, name: null, updated_at: LATER });
  t.same(amended(user, { name: undefined, roles: undefined, status: undefined }, LATER), {
    ...user,
    updated_at: LATER,
  });
});

t.test(
  'every token dies with a role that is lost and with a user who is disabled, and else none',
  async (t) => {
    const user = ada({ roles: ['reader', 'writer'], sessions: [session] });
    for (const [change, dies] of [
      [{ roles: ['writer', 'reader'] }, false],
      [{ roles: ['reader', 'writer', 'admin'] }, false],
      [{ roles: ['reader'] }, true],
      [{ roles: ['reader', 'admin'] }, true],
      [{ roles: [] }, true],
      [{ status: 'active' }, false],
      [{ status: 'disabled' }, true],
      [{ status: 'disabled', roles: ['reader'] }, true],
    ] as const) {
      const next = amended(user, structuredClone(change) as Amendment, LATER);
      const told = JSON.stringify(change);
      t.equal(next.token_version, dies ? 1 : 0, told);
      t.equal(next.revoked_at, dies ? LATER : null, told);
      t.equal(next.sessions[0]?.ended_at, dies ? LATER : undefined, told);
    }
    const disabled = ada({ status: 'disabled', token_version: 3 });
    t.match(amended(disabled, { status: 'disabled' }, LATER), { token_version: 3 });
    t.match(amended(disabled, { status: 'active' }, LATER), { token_version: 3, status: 'active' });
  },
);

t.test('a row of another kind, or an emptied one, is not found', async (t) => {
  t.doesNotThrow(() => assertIs(ada(), 'person'));
  t.doesNotThrow(() => assertIs(ada({ status: 'disabled' }), 'person'));
  t.throws(() => assertIs(ada(), 'service'), { code: 'not_found' });
  t.throws(() => assertIs(ada({ kind: 'service' }), 'person'), { code: 'not_found' });
  t.throws(() => assertIs(ada({ status: 'deleted' }), 'person'), { code: 'not_found' });
});

/** The ways in which an administrator stops being one. */
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

t.test('the last administrator stays one, whichever way is tried', async (t) => {
  const app = await testApp(t);
  const password_hash = await app.context.passwords.hash(PASSWORD);
  const roles = ['admin', 'editor'];
  const root = await signedIn(app, 'root@example.com', { roles, password_hash });
  // None of these could take over.
  await signedIn(app, 'user@example.com', { roles: ['administrator', 'editor'] });
  await signedIn(app, 'off@example.com', { roles, status: 'disabled' });
  await signedIn(app, 'gone@example.com', { roles, status: 'deleted', email: null });
  await signedIn(app, 'invited@example.com', { roles, password_hash: null });
  await machine(app, ['admin']);

  const row = () => app.context.users.findById(root.id);
  const before = await row();
  for (const way of names) refused(t, await go(app, root, way, root.id), 409, 'last_admin');
  const both = { roles: [], status: 'disabled' };
  const url = `/v1/users/${root.id}`;
  const answer = await app.as(root.access_token, { method: 'PATCH', url, payload: both });
  refused(t, answer, 409, 'last_admin');
  t.same(butForCounts(await row()), butForCounts(before), 'nothing of the row has changed');
  t.same(audit(app), []);
  t.notOk(
    app.events().some((event) => /^(account|mail)/.test(event)),
    'and nobody is told',
  );
  t.equal((await app.as(root.access_token, { url })).statusCode, 200, 'the session goes on');

  const more = await app.as(root.access_token, {
    method: 'PATCH',
    url,
    payload: { roles: ['admin'], name: 'Root' },
  });
  t.equal(more.statusCode, 200, 'anything else of him may change');
});

t.test('with another administrator each way is open', async (t) => {
  const app = await testApp(t);
  const password_hash = await app.context.passwords.hash(PASSWORD);
  await signedIn(app, 'other@example.com', { roles: ['admin'] });
  for (const way of names) {
    const root = await signedIn(app, `${way}@example.com`, { roles: ['admin'], password_hash });
    t.equal(Math.floor((await go(app, root, way, root.id)).statusCode / 100), 2, way);
  }
});

t.test('whoever is no administrator leaves, though the only one stays', async (t) => {
  const app = await testApp(t);
  const password_hash = await app.context.passwords.hash(PASSWORD);
  const user = await signedIn(app, 'user@example.com', { password_hash });
  t.equal(
    (await go(app, user, 'leave', user.id)).statusCode,
    204,
    'also where there is none at all',
  );
});

const ROUNDS = 4;

/** What is asked of one node, or of two on one database, in many rounds. */
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

  t.test('two administrators who stop at once: one does, one stays', async (t) => {
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

  t.test('two administrators who stop each other at once: one stays', async (t) => {
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

  t.test('of five who stop at once one stays', async (t) => {
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

  t.test('a NUL, which it takes in no text, is part of no id', async (t) => {
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

t.test(
  'an administrator who was demoted a moment ago does not promote himself again',
  async (t) => {
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
    // The check at the door was passed before the demotion; the row says otherwise by now.
    const caller = app.context.accessTokens.read(other.access_token);
    await app.context.users.change(other.id, (user) => ({
      user: { ...user, roles: [], token_version: user.token_version + 1 },
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
  },
);
