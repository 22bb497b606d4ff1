import t, { type Test } from 'tap';
import { opened, sqliteFile } from '../../databases.ts';
import { admin, agedToken, audit, type SignedIn, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, type TestApp, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, clock, refresh } = app;
const root = await admin(app);
const amend = (id: string, payload: object, token = root.access_token) =>
  as(token, { method: 'PATCH', url: `/v1/users/${id}`, payload });
const rowOf = (id: string) => context.users.findById(id);

/** The audit lines that `act` writes. */
async function linesOf(act: () => Promise<unknown>) {
  const before = audit(app).length;
  await act();
  return audit(app).slice(before);
}

async function isSignedOut(t: Test, { access_token, refresh_token }: SignedIn, { as } = app) {
  refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await as(access_token, { url: '/v1/me' }), 401, 'token_revoked');
  refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
}

/** Asserts that the access token is revoked, and that the session continues with these roles. */
async function onlyAccessIsLost(
  t: Test,
  { access_token, refresh_token }: SignedIn,
  roles: string[],
) {
  refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await as(access_token, { url: '/v1/me' }), 401, 'token_revoked');
  const next = (await refresh(refresh_token)).json();
  t.same((await as(next.access_token, { url: '/v1/whoami' })).json().roles, roles);
  t.equal((await as(next.access_token, { url: '/v1/me' })).statusCode, 200);
}

async function isSignedIn(t: Test, { access_token }: SignedIn) {
  t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  t.equal((await as(access_token, { url: '/v1/me' })).statusCode, 200);
}

t.test('an added role comes with the next refresh, and nobody is signed out', async (t) => {
  const eve = await signedIn(app, 'eve@example.com', { roles: ['reader'] });
  const lines = await linesOf(async () => {
    const answer = await amend(eve.id, { roles: ['reader', 'editor'] });
    t.equal(answer.statusCode, 200);
    t.match(answer.json(), { id: eve.id, roles: ['reader', 'editor'], sessions: 1 });
  });
  t.same(lines, [
    {
      event: 'admin.user_changed',
      actor: root.id,
      user: eve.id,
      before: { roles: ['reader'], status: 'active' },
      after: { roles: ['reader', 'editor'], status: 'active' },
    },
  ]);
  await isSignedIn(t, eve);
  t.same((await as(eve.access_token, { url: '/v1/whoami' })).json().roles, ['reader']);
  const next = (await refresh(eve.refresh_token)).json();
  t.same((await as(next.access_token, { url: '/v1/whoami' })).json().roles, ['reader', 'editor']);
});

t.test('a removed role revokes the access tokens, and the session continues', async (t) => {
  const eve = await signedIn(app, 'eve2@example.com', { roles: ['reader', 'editor'] });
  t.equal((await amend(eve.id, { roles: ['editor', 'writer'] })).statusCode, 200);
  await onlyAccessIsLost(t, eve, ['editor', 'writer']);
  t.match(await rowOf(eve.id), { token_version: 0, access_version: 1 });
});

t.test('a user who lost a role can still sign out with the access token', async (t) => {
  const eve = await signedIn(app, 'eve8@example.com', { roles: ['reader'] });
  await amend(eve.id, { roles: [] });
  const logout = await as(eve.access_token, { method: 'POST', url: '/v1/logout' });
  t.equal(logout.statusCode, 204);
  await isSignedOut(t, eve);
});

t.test('AZN-06 a disabled user is signed out at once, and cannot sign in', async (t) => {
  const password_hash = await context.passwords.hash('correct horse battery staple');
  const eve = await signedIn(app, 'eve3@example.com', { password_hash });
  const lines = await linesOf(async () => {
    const answer = await amend(eve.id, { status: 'disabled' });
    t.match(answer.json(), { status: 'disabled', sessions: 0 });
  });
  t.match(lines, [{ before: { status: 'active' }, after: { status: 'disabled' } }]);
  await isSignedOut(t, eve);
  refused(t, await app.login('eve3@example.com'), 401, 'invalid_credentials');

  t.match((await amend(eve.id, { status: 'active' })).json(), { status: 'active' });
  await isSignedOut(t, eve);
  t.equal((await app.login('eve3@example.com')).statusCode, 200);
});

t.test('a name can be changed and removed, and stays if it is absent from the body', async (t) => {
  const eve = await signedIn(app, 'eve4@example.com', { roles: ['reader'] });
  clock.advance(1_000);
  const updated_at = new Date(clock.now).toISOString();
  t.match((await amend(eve.id, { name: ' Eve ' })).json(), { name: 'Eve', updated_at });
  t.match((await amend(eve.id, {})).json(), { name: 'Eve', roles: ['reader'], status: 'active' });
  t.match((await amend(eve.id, { name: null })).json(), { name: null, roles: ['reader'] });
  await isSignedIn(t, eve);
});

t.test(
  'AZN-03 an administrator cannot set a password, an address, a second factor or other columns',
  async (t) => {
    const eve = await signedIn(app, 'eve5@example.com');
    const before = await rowOf(eve.id);
    const lines = await linesOf(async () => {
      for (const [body, path] of [
        [{ password: '' }, '/password'],
        [{ password_hash: 'x' }, '/password_hash'],
        [{ email: 'mine@example.com' }, '/email'],
        [{ email_verified: true }, '/email_verified'],
        [{ mfa: false }, '/mfa'],
        [{ token_version: 0 }, '/token_version'],
        [{ sessions: [] }, '/sessions'],
        [{ id: root.id }, '/id'],
        [{ kind: 'service' }, '/kind'],
        [{ status: 'deleted' }, '/status'],
        [{ status: null }, '/status'],
        [{ roles: null }, '/roles'],
        [{ roles: ['a', 'a'] }, '/roles'],
        [{ roles: ['ADMIN'] }, '/roles/0'],
        [{ name: '' }, '/name'],
        [{ name: 'a\u2028b' }, '/name'],
      ] as const) {
        const { errors } = refused(t, await amend(eve.id, body), 422, 'invalid_input');
        t.equal(errors?.[0]?.path, path);
      }
    });
    t.same(lines, []);
    t.same(await rowOf(eve.id), before);
  },
);

t.test(
  'making an administrator needs a recent sign-in or the password of the caller',
  async (t) => {
    const eve = await signedIn(app, 'eve7@example.com', { roles: ['editor'] });
    const off = await signedIn(app, 'off@example.com', { roles: ['admin'], status: 'disabled' });
    const aged = await agedToken(app, root.id);
    for (const [id, change] of [
      [eve.id, { roles: ['editor', 'admin'] }],
      [eve.id, { roles: ['admin'], status: 'disabled' }],
      [off.id, { status: 'active' }],
    ] as const) {
      const before = await rowOf(id);
      refused(t, await amend(id, change, aged), 401, 'step_up_required');
      const guess = await amend(id, { ...change, password: 'not the password at all' });
      refused(t, guess, 403, 'wrong_password');
      t.same(await rowOf(id), before);
    }
    const lines = await linesOf(async () => {
      const made = await amend(eve.id, { roles: ['admin'], password: PASSWORD });
      t.match(made.json(), { roles: ['admin'] });
    });
    t.match(lines, [{ actor: root.id, user: eve.id, after: { roles: ['admin'] } }]);
    t.notMatch(JSON.stringify(lines), PASSWORD);
    const again = await amend(eve.id, { roles: ['admin', 'editor'], status: 'active' });
    t.equal(again.statusCode, 200, 'somebody who is an administrator already needs none');
    for (const change of [{ roles: ['editor'] }, { status: 'disabled' }, { name: 'Eve' }])
      t.equal((await amend(eve.id, change)).statusCode, 200, 'removing the role needs none');
    refused(
      t,
      await amend(eve.id, { name: 'Mallory', password: 'meant for Eve, perhaps' }),
      403,
      'wrong_password',
    );
    t.match(await rowOf(eve.id), { name: 'Eve' }, 'a password is checked even if it is not needed');
    t.match(
      await app.context.passwords.check((await rowOf(eve.id))?.password_hash, PASSWORD),
      /right|outdated/,
    );
  },
);

t.test('a stolen access token allows five guesses at the password', async (t) => {
  const thief = await admin(app, 'stolen@example.com');
  const eve = await signedIn(app, 'eve8b@example.com');
  const make = (password: string) =>
    amend(eve.id, { roles: ['admin'], password }, thief.access_token);
  for (let turn = 0; turn < 5; turn += 1)
    refused(t, await make(`guess number ${turn}`), 403, 'wrong_password');
  const answer = await make(PASSWORD);
  refused(t, answer, 429, 'throttled');
  t.equal(answer.headers['retry-after'], '30');
  t.match(await rowOf(eve.id), { roles: [] });
});

t.test('a service account, a deleted user and an unknown ID cannot be changed', async (t) => {
  const client = await serviceAccount(app, ['reader']);
  const gone = await signedIn(app, 'gone@example.com');
  await as(root.access_token, { method: 'DELETE', url: `/v1/users/${gone.id}` });
  const before = [await rowOf(client.id), await rowOf(gone.id)];
  const lines = await linesOf(async () => {
    for (const id of [client.id, gone.id, '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b']) {
      const answer = await amend(id, { roles: ['admin'], status: 'active' });
      refused(t, answer, 404, 'not_found');
    }
  });
  t.same(lines, []);
  t.same([await rowOf(client.id), await rowOf(gone.id)], before);
});

t.test(
  'TOK-22 a demoted administrator loses access at once: the row decides, not the token',
  async (t) => {
    const old = await signedIn(app, 'old@example.com', { roles: ['admin'] });
    const eve = await signedIn(app, 'eve6@example.com');
    t.equal((await amend(old.id, { roles: [] })).statusCode, 200);
    const lines = await linesOf(async () => {
      refused(t, await amend(eve.id, { roles: ['admin'] }, old.access_token), 401, 'token_revoked');
      refused(t, await amend(old.id, { roles: ['admin'] }, old.access_token), 401, 'token_revoked');
    });
    t.same(lines, []);
    t.match(await rowOf(eve.id), { roles: [] });
    t.match(await rowOf(old.id), { roles: [] });
  },
);

t.test(
  'another node refuses a demoted or disabled administrator at once, before its next poll',
  async (t) => {
    const engine = sqliteFile(t);
    const url = await engine.create();
    const [here, there]: [TestApp, TestApp] = [
      await testApp(t, { database: opened(t, url) }),
      await testApp(t, { database: opened(t, url) }),
    ];
    const first = await admin(here);
    for (const [email, change] of [
      ['demoted@example.com', { roles: ['editor'] }],
      ['disabled@example.com', { status: 'disabled' }],
    ] as const) {
      const other = await signedIn(here, email, { roles: ['admin', 'editor'] });
      const list = () => there.as(other.access_token, { url: '/v1/users' });
      t.equal((await list()).statusCode, 200);
      const url = `/v1/users/${other.id}`;
      t.equal(
        (await here.as(first.access_token, { method: 'PATCH', url, payload: change })).statusCode,
        200,
      );
      refused(t, await list(), 401, 'token_revoked');
      const back = {
        method: 'PATCH',
        url,
        payload: { roles: ['admin'], status: 'active' },
      } as const;
      refused(t, await there.as(other.access_token, back), 401, 'token_revoked');
      refused(t, await there.as(other.access_token, { url: '/v1/me' }), 401, 'token_revoked');
      t.equal(
        (await there.as(other.access_token, { url: '/v1/whoami' })).statusCode,
        200,
        'the snapshot is one poll behind',
      );
      await there.context.revocationFeed.poll();
      refused(t, await there.as(other.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    }
  },
);

t.test('administrators can change themselves while there is another one', async (t) => {
  const self = await signedIn(app, 'self@example.com', { roles: ['admin', 'reader'] });
  t.match((await amend(self.id, { name: 'Me' }, self.access_token)).json(), { name: 'Me' });
  t.match((await amend(self.id, { roles: ['reader'] }, self.access_token)).json(), {
    roles: ['reader'],
  });
  await onlyAccessIsLost(t, self, ['reader']);
});
