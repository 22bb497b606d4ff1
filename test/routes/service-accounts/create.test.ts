import t from 'tap';
import {
  admin,
  agedToken,
  audit,
  basic,
  form,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock, context, logs } = app;
const root = await admin(app);
const create = (payload: object, token = root.access_token, password = PASSWORD) =>
  as(token, { method: 'POST', url: '/v1/service-accounts', payload: { password, ...payload } });
const asMachine = { grant_type: 'client_credentials' };

t.test('a new service account gets tokens with the secret that is shown once', async (t) => {
  const answer = await create({ name: ' nightly ', roles: ['reports:read'] });
  t.equal(answer.statusCode, 201);
  const { client_id, client_secret, ...rest } = answer.json();
  t.strictSame(rest, {
    name: 'nightly',
    roles: ['reports:read'],
    claims: {},
    created_at: new Date(clock.now).toISOString(),
  });
  t.match(client_secret, /^[\w-]{43}$/, '256 bits');
  const token = await form(
    app,
    '/oauth/token',
    asMachine,
    basic({ id: client_id, secret: client_secret }),
  );
  t.equal(token.statusCode, 200);
  const row = await context.users.findById(client_id);
  t.match(row, { kind: 'service', status: 'active', email: null, email_key: null, sessions: [] });
  t.notOk(
    JSON.stringify([row, logs]).includes(client_secret),
    'neither the row nor the log contains it',
  );
  t.same(audit(app).slice(0, 1), [
    {
      event: 'admin.service_account_created',
      actor: root.id,
      user: client_id,
      after: { roles: ['reports:read'] },
    },
  ]);
});

t.test('a stolen access token cannot create a service account that outlives it', async (t) => {
  const thief = await admin(app, 'stolen@example.com');
  const count = async () => (await context.users.list({ kind: 'service', limit: 100 })).length;
  const [before, lines] = [await count(), audit(app).length];
  const guess = (password: string) =>
    create({ name: 'mine', roles: ['admin'] }, thief.access_token, password);
  for (let turn = 0; turn < 5; turn += 1)
    refused(t, await guess(`guess number ${turn}`), 403, 'wrong_password');
  refused(t, await guess(PASSWORD), 429, 'throttled');
  t.equal(await count(), before);
  t.equal(audit(app).length, lines);
  await as(root.access_token, { method: 'DELETE', url: `/v1/users/${thief.id}` });
});

t.test('two service accounts can have the same name, with different secrets', async (t) => {
  const [one, two] = [
    (await create({ name: 'twin' })).json(),
    (await create({ name: 'twin' })).json(),
  ];
  t.not(one.client_id, two.client_id);
  t.not(one.client_secret, two.client_secret);
  t.same(one.roles, [], 'no roles by default');
  const mixed = basic({ id: one.client_id, secret: two.client_secret });
  t.equal((await form(app, '/oauth/token', asMachine, mixed)).statusCode, 401);
});

t.test(
  'only a name and roles are accepted, and an invalid one creates no service account',
  async (t) => {
    const count = async () => (await context.users.list({ kind: 'service', limit: 100 })).length;
    const [before, lines] = [await count(), audit(app).length];
    for (const [body, path] of [
      [{}, '/name'],
      [{ name: '' }, '/name'],
      [{ name: 'a'.repeat(101) }, '/name'],
      [{ name: 'x', roles: 'admin' }, '/roles'],
      [{ name: 'x', roles: ['a b'] }, '/roles/0'],
      [{ name: 'x', roles: ['a', 'a'] }, '/roles'],
      [{ name: 'x', client_id: root.id }, '/client_id'],
      [{ name: 'x', client_secret: 'mine' }, '/client_secret'],
      [{ name: 'x', email: 'a@example.com' }, '/email'],
      [{ name: 'x', kind: 'person' }, '/kind'],
      [{ name: 'x', password: '' }, '/password'],
    ] as const) {
      const { errors } = refused(t, await create(body), 422, 'invalid_input');
      t.equal(errors?.[0]?.path, path, JSON.stringify(body));
    }
    t.equal(await count(), before);
    t.equal(audit(app).length, lines);
  },
);

t.test('without the password it needs a recent sign-in or step-up', async (t) => {
  const none = { name: 'x', password: undefined };
  t.equal((await create(none)).statusCode, 201);
  const aged = await agedToken(app, root.id);
  const answer = await create(none, aged);
  refused(t, answer, 401, 'step_up_required');
  t.match(
    answer.headers['www-authenticate'],
    /^Bearer realm="Latchkey", error="insufficient_user_authentication", .*max_age="900"$/,
  );
  refused(t, await create({ name: 'x' }, aged, 'not the password at all'), 403, 'wrong_password');
});

t.test(
  'a service account administers only with the role admin in both its account and its token',
  async (t) => {
    const plain = await serviceAccountToken(app, await serviceAccount(app, ['reader']));
    refused(t, await create({ name: 'x' }, plain), 403, 'forbidden');
    const client = await serviceAccount(app, ['admin', 'reader']);
    const narrow = await serviceAccountToken(app, client, 'reader');
    refused(t, await create({ name: 'x' }, narrow), 403, 'forbidden');
    const full = await serviceAccountToken(app, client);
    const without = await create({ name: 'x', password: undefined }, full);
    t.match(refused(t, without, 422, 'invalid_input').errors, [{ path: '/password' }]);
    for (const wrong of [PASSWORD, 'x', `${client.secret}x`])
      refused(t, await create({ name: 'x' }, full, wrong), 403, 'wrong_password');
    t.equal(
      (await create({ name: 'x' }, full, client.secret)).statusCode,
      201,
      'with its own secret',
    );
    t.match(audit(app).at(-1), { actor: client.id });
    for (const [method, url] of [
      ['GET', '/v1/me'],
      ['PATCH', '/v1/me'],
      ['GET', '/v1/me/sessions'],
    ] as const) {
      const payload = method === 'PATCH' ? { name: 'x' } : undefined;
      refused(t, await as(full, { method, url, ...(payload && { payload }) }), 403, 'forbidden');
    }
  },
);

t.test('a service account does not count as the last administrator', async (t) => {
  const client = await serviceAccount(app, ['admin']);
  const token = await serviceAccountToken(app, client);
  const url = `/v1/users/${root.id}`;
  for (const method of ['DELETE', 'PATCH'] as const) {
    const answer = await as(token, {
      method,
      url,
      ...(method === 'PATCH' && { payload: { roles: [] } }),
    });
    refused(t, answer, 409, 'last_admin');
  }
  t.match(await context.users.findById(root.id), { roles: ['admin'], status: 'active' });
});

t.test('a user without the role cannot create a service account', async (t) => {
  const eve = await signedIn(app, 'eve@example.com', { roles: ['administrator', 'admin2'] });
  refused(t, await create({ name: 'x', roles: ['admin'] }, eve.access_token), 403, 'forbidden');
});
