import t from 'tap';
import { oauthRefused } from '../../oauth-refused.ts';
import { audit, basic, form, serviceAccount, serviceAccountToken, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, clock, context, post, refresh } = app;
const revoke = (token: string, fields = {}, headers = {}) =>
  form(app, '/oauth/revoke', { token, ...fields }, headers);
const whoami = (token: string) => as(token, { url: '/v1/whoami' });

t.test('either token of a session ends that session, and no other', async (t) => {
  for (const kind of ['access_token', 'refresh_token'] as const) {
    for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense']) {
      const eve = await signedIn(
        app,
        `${kind}-${token_type_hint}@example.com`.replaceAll('_', '.'),
      );
      const lines = audit(app).length;
      const answer = await revoke(eve[kind], { token_type_hint });
      t.equal(answer.statusCode, 200);
      t.equal(answer.headers['cache-control'], 'no-store');
      t.same(answer.json(), {});
      refused(t, await whoami(eve.access_token), 401, 'token_revoked');
      refused(t, await refresh(eve.refresh_token), 401, 'refresh_invalid');
      t.same(audit(app).slice(lines), [
        { event: 'token.revoked', user: eve.id, session: eve.session_id },
      ]);
      t.match(await context.users.findById(eve.id), { token_version: 0, status: 'active' });
    }
  }
});

t.test('the other sessions of the user continue', async (t) => {
  const password_hash = await context.passwords.hash('correct horse battery staple');
  const eve = await signedIn(app, 'eve@example.com', { password_hash });
  const second = (await app.login('eve@example.com')).json();
  await revoke(eve.refresh_token);
  t.equal((await whoami(second.access_token)).statusCode, 200);
  t.equal((await refresh(second.refresh_token)).statusCode, 200);
});

t.test('a token that a password change has revoked ends no session of its owner', async (t) => {
  const eve = await signedIn(app, 'changed@example.com');
  const passwords = {
    current_password: PASSWORD,
    new_password: 'a lantern in the rainy harbour',
  };
  const changed = await as(eve.access_token, {
    method: 'PUT',
    url: '/v1/me/password',
    payload: passwords,
  });
  const now = changed.json();
  const before = await context.users.findById(eve.id);
  const { access_token, refresh_token } = eve;
  for (const token of [access_token, refresh_token]) t.equal((await revoke(token)).statusCode, 200);
  t.equal((await post('/v1/logout', { refresh_token })).statusCode, 204);
  t.same(await context.users.findById(eve.id), before);
  t.equal((await whoami(now.access_token)).statusCode, 200);
  const headers = { authorization: `Bearer ${now.access_token}` };
  await post('/v1/logout', { refresh_token }, headers);
  refused(t, await whoami(now.access_token), 401, 'token_revoked');
});

t.test('revoking one token of a service account leaves its other tokens valid', async (t) => {
  const client = await serviceAccount(app, ['reader']);
  const [one, two] = [
    await serviceAccountToken(app, client),
    await serviceAccountToken(app, client),
  ];
  const lines = audit(app).length;
  t.equal((await revoke(one)).statusCode, 200);
  refused(t, await whoami(one), 401, 'token_revoked');
  t.equal((await whoami(two)).statusCode, 200);
  t.match(audit(app).slice(lines), [{ event: 'token.revoked', user: client.id }]);
  t.equal(audit(app).length, lines + 1);
  t.equal((await whoami(await serviceAccountToken(app, client))).statusCode, 200);

  const out = await post('/v1/logout', undefined, { authorization: `Bearer ${two}` });
  t.equal(out.statusCode, 204);
  refused(t, await whoami(two), 401, 'token_revoked');
});

t.test(
  'a revoked token of a service account stays in the row only until it would have expired',
  async (t) => {
    const client = await serviceAccount(app);
    for (let index = 0; index < 3; index += 1) await revoke(await serviceAccountToken(app, client));
    t.equal((await context.users.findById(client.id))?.sessions.length, 3);
    // An hour longer than it matters, as clocks may be wrong.
    clock.advance(960_000 + 3_600_000);
    await revoke(await serviceAccountToken(app, client));
    t.equal((await context.users.findById(client.id))?.sessions.length, 1);
  },
);

t.test('an invalid token gets 200, and nothing changes', async (t) => {
  const eve = await signedIn(app, 'eve2@example.com');
  const old = await signedIn(app, 'old@example.com');
  await revoke(old.access_token);
  const gone = await serviceAccount(app);
  const goneToken = await serviceAccountToken(app, gone);
  await context.users.change(gone.id, (user) => ({
    user: {
      ...user,
      status: 'deleted',
      token_version: 1,
      access_version: 1,
      revoked_at: clock.now,
    },
    result: undefined,
  }));
  const { ownTokens } = context;
  const iat = Math.floor(clock.now / 1_000);
  const reset = ownTokens.issue('reset', { sub: eve.id, jti: 'x', was: 'x', iat, exp: iat + 600 });
  const [lines, before] = [audit(app).length, await context.users.findById(eve.id)];
  for (const token of [
    old.access_token,
    old.refresh_token,
    goneToken,
    eve.device_token,
    reset,
    eve.session_id,
    `${eve.access_token}x`,
    'x',
    '\0',
  ]) {
    const answer = await revoke(token);
    t.equal(answer.statusCode, 200);
    t.same(answer.json(), {});
  }
  t.equal(audit(app).length, lines);
  t.same(await context.users.findById(eve.id), before);
  t.equal((await whoami(eve.access_token)).statusCode, 200);
});

t.test('a client that authenticates must do so correctly', async (t) => {
  const eve = await signedIn(app, 'eve3@example.com');
  const client = await serviceAccount(app);
  const wrong = { client_id: client.id, client_secret: 'wrong' };
  oauthRefused(t, await revoke(eve.access_token, wrong), 401, 'invalid_client');
  const header = basic({ ...client, secret: 'wrong' });
  oauthRefused(t, await revoke(eve.access_token, {}, header), 401, 'invalid_client');
  t.equal((await whoami(eve.access_token)).statusCode, 200);
  t.equal((await revoke(eve.access_token, {}, basic(client))).statusCode, 200);
  refused(t, await whoami(eve.access_token), 401, 'token_revoked');
});

t.test('the token must be in the form, exactly once', async (t) => {
  const eve = await signedIn(app, 'eve4@example.com');
  for (const text of ['', 'token=', `token=${eve.access_token}&token=${eve.access_token}`]) {
    oauthRefused(t, await form(app, '/oauth/revoke', text), 400, 'invalid_request');
  }
  const query = await form(app, `/oauth/revoke?token=${eve.access_token}`, '');
  oauthRefused(t, query, 400, 'invalid_request');
  const bearer = await form(app, '/oauth/revoke', '', {
    authorization: `Bearer ${eve.access_token}`,
  });
  oauthRefused(t, bearer, 400, 'invalid_request');
  const json = await post('/oauth/revoke', { token: eve.access_token });
  oauthRefused(t, json, 415, 'invalid_request');
  t.equal((await whoami(eve.access_token)).statusCode, 200);
});

t.test('a revocation and a refresh in flight never leave a live session', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const eve = await signedIn(app, `race${round}@example.com`);
    const [, renewed] = await Promise.all([revoke(eve.access_token), refresh(eve.refresh_token)]);
    const tokens = [eve, ...(renewed.statusCode === 200 ? [renewed.json()] : [])];
    for (const { access_token, refresh_token } of tokens) {
      refused(t, await whoami(access_token), 401, 'token_revoked');
      refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
    }
  }
});
