import t from 'tap';
import type { User } from '../../../src/schemas/user.ts';
import { opened, sqliteFile } from '../../databases.ts';
import { oauthRefused } from '../../oauth-refused.ts';
import { admin, basic, form, serviceAccount, serviceAccountToken, signedIn } from '../../people.ts';
import { type TestApp, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock, context, refresh } = app;
const root = await admin(app);
const service = await serviceAccount(app);
const ask = (token: string, fields = {}) =>
  form(app, '/oauth/introspect', { token, ...fields }, basic(service));
const answer = async (token: string, fields = {}) => {
  const said = await ask(token, fields);
  t.equal(said.statusCode, 200);
  t.equal(said.headers['cache-control'], 'no-store');
  return said.json();
};
const inactive = { active: false };
const seconds = () => Math.floor(clock.now / 1_000);
const amend = (id: string, payload: object) =>
  as(root.access_token, { method: 'PATCH', url: `/v1/users/${id}`, payload });

t.test("a user's access token is described by its claims, without personal data", async (t) => {
  const eve = await signedIn(app, 'eve@example.com', { name: 'Eve', roles: ['reader', 'writer'] });
  for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense']) {
    const said = await answer(eve.access_token, { token_type_hint });
    t.match(said.jti, /^[\w-]{22}$/);
    t.strictSame(said, {
      active: true,
      token_type: 'Bearer',
      iss: context.config.ISSUER,
      aud: context.config.AUDIENCE,
      sub: eve.id,
      client_id: 'latchkey',
      iat: seconds(),
      exp: seconds() + 900,
      jti: said.jti,
      sid: eve.session_id,
      scope: 'reader writer',
    });
  }
});

t.test("a user's refresh token is active until it has been used", async (t) => {
  const eve = await signedIn(app, 'eve2@example.com');
  for (const token_type_hint of ['access_token', 'refresh_token']) {
    t.strictSame(await answer(eve.refresh_token, { token_type_hint }), {
      active: true,
      token_type: 'refresh_token',
      iss: context.config.ISSUER,
      aud: context.config.ISSUER,
      sub: eve.id,
      iat: seconds(),
      exp: seconds() + 14 * 86_400,
      sid: eve.session_id,
    });
  }
  const next = (await refresh(eve.refresh_token)).json();
  t.same(await answer(eve.refresh_token), inactive);
  t.match(await answer(next.refresh_token), { active: true });
  t.match(
    await answer(eve.access_token),
    { active: true },
    'a refresh does not revoke access tokens',
  );
});

t.test('the token of a service account is active; without a role it has no scope', async (t) => {
  const client = await serviceAccount(app, ['reader', 'writer']);
  const narrow = await answer(await serviceAccountToken(app, client, 'writer'));
  t.match(narrow, { active: true, sub: client.id, client_id: client.id, scope: 'writer' });
  const plain = await answer(await serviceAccountToken(app, service));
  t.match(plain, { active: true, sub: service.id });
  t.notHas(plain, 'scope');
});

t.test('an introspection uses nothing up, and writes nothing', async (t) => {
  const eve = await signedIn(app, 'eve3@example.com');
  const before = [await context.users.findById(eve.id), await context.users.findById(service.id)];
  await answer(eve.refresh_token);
  await answer(eve.access_token);
  t.same([await context.users.findById(eve.id), await context.users.findById(service.id)], before);
  t.equal((await refresh(eve.refresh_token)).statusCode, 200);
});

t.test('an invalid token is not active, and the answer does not say why', async (t) => {
  const cases: [string, (user: Awaited<ReturnType<typeof signedIn>>) => Promise<unknown>][] = [
    ['ended', ({ refresh_token }) => app.post('/v1/logout', { refresh_token })],
    ['disabled', ({ id }) => amend(id, { status: 'disabled' })],
    [
      'enabled again',
      async ({ id }) => {
        await amend(id, { status: 'disabled' });
        await amend(id, { status: 'active' });
      },
    ],
    ['deleted', ({ id }) => as(root.access_token, { method: 'DELETE', url: `/v1/users/${id}` })],
    [
      'signed out by an administrator',
      ({ id }) => as(root.access_token, { method: 'DELETE', url: `/v1/users/${id}/sessions` }),
    ],
    [
      'signed out everywhere',
      ({ access_token }) => as(access_token, { method: 'DELETE', url: '/v1/me/sessions' }),
    ],
  ];
  for (const [index, [name, end]] of cases.entries()) {
    const user = await signedIn(app, `u${index}@example.com`, { roles: ['reader'] });
    t.match(await answer(user.access_token), { active: true });
    await end(user);
    t.strictSame(await answer(user.access_token), inactive, `access, ${name}`);
    t.strictSame(await answer(user.refresh_token), inactive, `refresh, ${name}`);
  }
});

t.test(
  'removing a role revokes the access tokens that have it, and the session continues',
  async (t) => {
    const user = await signedIn(app, 'demoted@example.com', { roles: ['reader', 'editor'] });
    await amend(user.id, { roles: ['reader'] });
    t.strictSame(await answer(user.access_token), inactive);
    t.match(await answer(user.refresh_token), { active: true });
    const next = (await refresh(user.refresh_token)).json();
    t.match(await answer(next.access_token), { active: true, scope: 'reader' });
  },
);

t.test('a refresh token that is newer than its row is active', async (t) => {
  const user = await signedIn(app, 'behind@example.com');
  const before = await context.users.findById(user.id);
  const next = (await refresh(user.refresh_token)).json();
  await context.users.change(user.id, ({ row_version }) => ({
    user: { ...(before as User), row_version },
    result: undefined,
  }));
  t.match(await answer(next.refresh_token), { active: true });
});

t.test('a token of another kind is not active', async (t) => {
  const eve = await signedIn(app, 'eve4@example.com');
  const { ownTokens } = context;
  const [iat, exp] = [seconds(), seconds() + 600];
  const own = { sub: eve.id, jti: 'jti', iat, exp };
  const foreign = [
    eve.device_token,
    ownTokens.issue('reset', { ...own, was: 'was' }),
    ownTokens.issue('sign-up', { ...own, sub: 'eve4@example.com' }),
    'x',
    'a.b.c',
    'eyJhbGciOiJub25lIn0.e30.',
    `${eve.access_token}x`,
    ` ${eve.access_token}`,
    eve.session_id,
    eve.id,
    '\0',
    'x'.repeat(4_096),
  ];
  for (const token of foreign) t.strictSame(await answer(token), inactive, token.slice(0, 20));
});

t.test('without the secret of a service account there is no answer', async (t) => {
  const eve = await signedIn(app, 'eve5@example.com');
  for (const headers of [
    {},
    basic({ ...service, secret: 'wrong' }),
    basic({ id: eve.id, secret: '$argon2id$none' }),
    { authorization: `Bearer ${root.access_token}` },
    { authorization: `Bearer ${await serviceAccountToken(app, service)}` },
  ]) {
    for (const token of [eve.access_token, 'x']) {
      const said = await form(app, '/oauth/introspect', { token }, headers);
      oauthRefused(t, said, 401, 'invalid_client');
    }
  }
  const body = { token: eve.access_token, client_id: service.id, client_secret: service.secret };
  const said = await form(app, '/oauth/introspect', body);
  t.match(said.json(), { active: true }, 'a secret in the body works too');
});

t.test('a request without exactly one token is refused', async (t) => {
  for (const text of [
    '',
    'token=',
    'token_type_hint=access_token',
    'token=a&token=b',
    `token=${'x'.repeat(4_097)}`,
  ]) {
    oauthRefused(
      t,
      await form(app, '/oauth/introspect', text, basic(service)),
      400,
      'invalid_request',
    );
  }
  const json = {
    method: 'POST',
    url: '/oauth/introspect',
    headers: basic(service),
    payload: { token: 'x' },
  } as const;
  oauthRefused(t, await app.inject(json), 415, 'invalid_request');
});

t.test(
  'the answer comes from the row, so another node knows at once what this one ended',
  async (t) => {
    const url = await sqliteFile(t).create();
    const [here, there]: [TestApp, TestApp] = [
      await testApp(t, { database: opened(t, url) }),
      await testApp(t, { database: opened(t, url) }),
    ];
    const asker = await serviceAccount(here);
    const active = async (token: string) =>
      (await form(there, '/oauth/introspect', { token }, basic(asker))).json().active;
    const eve = await signedIn(here, 'eve@example.com');
    const client = await serviceAccount(here, ['admin']);
    const token = await serviceAccountToken(here, client);
    t.same([await active(eve.access_token), await active(token)], [true, true]);
    await here.post('/v1/logout', { refresh_token: eve.refresh_token });
    await form(here, '/oauth/revoke', { token });
    t.equal((await there.as(token, { url: '/v1/whoami' })).statusCode, 200, 'no poll yet');
    t.same(
      [await active(eve.access_token), await active(eve.refresh_token), await active(token)],
      [false, false, false],
    );
    const users = await there.as(token, { url: '/v1/users' });
    t.equal(users.statusCode, 401, 'a revoked token cannot administer there');
    t.equal(await active(await serviceAccountToken(here, client)), true, 'the next token is valid');
  },
);

t.test('a token is active until its last second, and not after it', async (t) => {
  const eve = await signedIn(app, 'eve6@example.com');
  const token = await serviceAccountToken(app, service);
  clock.advance(899_999);
  t.same([(await answer(eve.access_token)).active, (await answer(token)).active], [true, true]);
  clock.advance(1);
  t.strictSame([await answer(eve.access_token), await answer(token)], [inactive, inactive]);
  t.match(await answer(eve.refresh_token), { active: true });
  clock.advance(14 * 86_400_000 - 900_001);
  t.match(await answer(eve.refresh_token), { active: true });
  clock.advance(1);
  t.strictSame(await answer(eve.refresh_token), inactive);
});
