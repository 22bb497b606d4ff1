import t, { type Test } from 'tap';
import { mailbox } from '../../mailbox.ts';
import { oauthRefused } from '../../oauth-refused.ts';
import { audit, basic, factor, form, serviceAccount, signedIn } from '../../people.ts';
import { testApp } from '../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { as, clock, context } = app;
const client = await serviceAccount(app, ['reader', 'writer']);
const send = (fields: Record<string, string> | string, headers?: Record<string, string>) =>
  form(app, '/oauth/token', fields, headers);
const credentials = { client_id: client.id, client_secret: client.secret };
const grant_type = 'client_credentials';

t.test(
  'a service account gets an access token and no refresh token, with HTTP Basic or in the body',
  async (t) => {
    for (const [fields, headers] of [
      [{ grant_type }, basic(client)],
      [{ grant_type }, { authorization: basic(client).authorization.replace('Basic', 'bAsIc  ') }],
      [{ grant_type, ...credentials }, {}],
      [{ grant_type, client_id: client.id }, basic(client)],
    ] as const) {
      const lines = audit(app).length;
      const before = await context.users.findById(client.id);
      const answer = await send(fields, headers);
      t.equal(answer.statusCode, 200);
      t.equal(answer.headers['cache-control'], 'no-store');
      t.equal(answer.headers.pragma, 'no-cache');
      t.match(answer.headers['content-type'], /^application\/json/);
      const { access_token, ...rest } = answer.json();
      t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'reader writer' });
      const claims = (await as(access_token, { url: '/v1/whoami' })).json();
      t.match(claims, {
        sub: client.id,
        client_id: client.id,
        roles: ['reader', 'writer'],
        scope: 'reader writer',
        amr: [],
      });
      t.same(await context.users.findById(client.id), before, 'nothing is written');
      t.same(audit(app).slice(lines), [{ event: 'client.token_issued', user: client.id }]);
    }
  },
);

t.test('a scope can narrow the token, but never widen it', async (t) => {
  const scoped = (scope: string) => send({ grant_type, scope }, basic(client));
  for (const [scope, roles] of [
    ['reader', ['reader']],
    ['writer reader', ['writer', 'reader']],
    ['reader reader', ['reader']],
    [' reader  writer ', ['reader', 'writer']],
    ['', ['reader', 'writer']],
  ] as const) {
    const { access_token, scope: told } = (await scoped(scope)).json();
    t.equal(told, roles.join(' '));
    t.same((await as(access_token, { url: '/v1/whoami' })).json().roles, roles);
  }
  for (const scope of ['admin', 'reader admin', 'READER', 'reader,writer', ' ', 'read']) {
    oauthRefused(t, await scoped(scope), 400, 'invalid_scope');
  }
});

t.test(
  'a service account without roles gets a token without a scope, and none with one',
  async (t) => {
    const plain = await serviceAccount(app);
    const answer = await send({ grant_type }, basic(plain));
    t.notHas(answer.json(), 'scope');
    t.same((await as(answer.json().access_token, { url: '/v1/whoami' })).json().roles, []);
    oauthRefused(
      t,
      await send({ grant_type, scope: 'reader' }, basic(plain)),
      400,
      'invalid_scope',
    );
  },
);

t.test('both parts of HTTP Basic are form-decoded (RFC 6749 section 2.3.1)', async (t) => {
  const encode = (text: string) =>
    [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
  const encoded = basic({ id: encode(client.id), secret: encode(client.secret) });
  t.equal((await send({ grant_type }, encoded)).statusCode, 200);
});

t.test('a wrong client gets the same answer for every reason', async (t) => {
  const other = await serviceAccount(app);
  const eve = await signedIn(app, 'eve@example.com');
  const gone = await serviceAccount(app);
  await context.users.change(gone.id, (user) => ({
    user: { ...user, status: 'disabled' },
    result: undefined,
  }));
  const raw = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const bodies = new Set<string>();
  const lines = audit(app).length;
  const tries: [Record<string, string>, Record<string, string>][] = [
    [{}, {}],
    [{ client_id: client.id }, {}],
    [{ client_secret: client.secret }, {}],
    [{ client_id: client.id, client_secret: '' }, {}],
    [{ client_id: '', client_secret: client.secret }, {}],
    [{ client_id: client.id, client_secret: `${client.secret}x` }, {}],
    [{ client_id: client.id, client_secret: client.secret.slice(0, -1) }, {}],
    [{ client_id: client.id, client_secret: other.secret }, {}],
    [{ client_id: client.id.toUpperCase(), client_secret: client.secret }, {}],
    [{ client_id: `${client.id}\0`, client_secret: client.secret }, {}],
    [{ client_id: eve.id, client_secret: '$argon2id$none' }, {}],
    [{ client_id: gone.id, client_secret: gone.secret }, {}],
    [{ client_id: '%_', client_secret: client.secret }, {}],
    [{}, basic({ id: client.id, secret: other.secret })],
    [{}, basic(gone)],
    [{}, basic({ id: client.id, secret: '' })],
    [{}, basic({ id: '', secret: client.secret })],
    [{}, raw('')],
    [{}, raw(':')],
    [{}, raw(client.id)],
    [{}, raw('%:%')],
    [{}, raw('%00:%00')],
    [{}, { authorization: 'Basic' }],
    [{}, { authorization: 'Basic ***' }],
    [{}, { authorization: `Bearer ${client.secret}` }],
    [{}, { authorization: `Basic ${client.id}:${client.secret}` }],
  ];
  for (const [fields, headers] of tries) {
    const answer = await send({ grant_type, ...fields }, headers);
    oauthRefused(t, answer, 401, 'invalid_client');
    t.equal(answer.headers['www-authenticate'], 'Basic realm="Latchkey"');
    bodies.add(answer.payload);
  }
  t.equal(bodies.size, 1, 'always the same body');
  t.same(audit(app).slice(lines), Array(tries.length).fill({ event: 'client.refused' }));
});

t.test('credentials are read from the header or the body, and from nowhere else', async (t) => {
  const query = new URLSearchParams({ grant_type, ...credentials });
  const answer = await form(app, `/oauth/token?${query}`, { grant_type });
  oauthRefused(t, answer, 401, 'invalid_client');
});

t.test('a client that authenticates in two ways at once is refused', async (t) => {
  for (const fields of [
    credentials,
    { client_secret: client.secret },
    { client_secret: 'wrong' },
    { client_id: 'another' },
  ]) {
    oauthRefused(t, await send({ grant_type, ...fields }, basic(client)), 400, 'invalid_request');
  }
});

t.test('only forms are accepted', async (t) => {
  const type = (value: string) => ({ ...basic(client), 'content-type': value });
  const text = `grant_type=${grant_type}`;
  for (const value of [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded; charset=latin1',
    'application/x-www-form-urlencoded; charset=utf-8; x=y',
    'application/x-www-form-urlencodedx',
  ]) {
    oauthRefused(t, await send(text, type(value)), 415, 'invalid_request');
  }
  for (const value of [
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded;charset=UTF-8',
    'Application/X-WWW-Form-URLEncoded; charset="utf-8"',
  ]) {
    t.equal((await send(text, type(value))).statusCode, 200, value);
  }
  const json = { grant_type, ...credentials };
  const answer = await app.inject({ method: 'POST', url: '/oauth/token', payload: json });
  oauthRefused(t, answer, 415, 'invalid_request');
});

t.test('a form that repeats a parameter or is not UTF-8 is refused', async (t) => {
  const twice = async (text: string, code = 'invalid_request') =>
    oauthRefused(t, await send(text, basic(client)), 400, code);
  await twice(`grant_type=${grant_type}&grant_type=${grant_type}`);
  await twice(`grant_type=${grant_type}&scope=reader&scope=writer`);
  await twice(`grant_type=${grant_type}&scope=reader&scope=`);
  await twice(`grant_type=${grant_type}&x=1&x=2`);
  await twice(`grant_type=${grant_type}&%67rant_type=refresh_token`);
  await twice('');
  await twice('scope=reader');
  await twice('grant_type=');
  await twice(`grant_type=${'x'.repeat(101)}`);
  await twice(`grant_type=${grant_type}&scope=${'x'.repeat(1_001)}`);
  await twice('grant_type=password&username=eve&password=x', 'unsupported_grant_type');
  await twice('grant_type=authorization_code&code=x', 'unsupported_grant_type');
  await twice('grant_type=Client_Credentials', 'unsupported_grant_type');
  const none = await app.inject({ method: 'POST', url: '/oauth/token', headers: basic(client) });
  oauthRefused(t, none, 400, 'invalid_request');
  const big = await send(`grant_type=${grant_type}&x=${'x'.repeat(17_000)}`, basic(client));
  oauthRefused(t, big, 413, 'invalid_request');
});

t.test('an unknown parameter is ignored', async (t) => {
  const unknown = {
    grant_type,
    foo: 'bar',
    roles: 'admin',
    __proto__x: '1',
    constructor: '1',
    audience: 'https://elsewhere.example.com',
    client_assertion: 'x',
    refresh_token: 'x',
  };
  const answer = await send(`${new URLSearchParams(unknown)}&__proto__=1`, basic(client));
  t.equal(answer.statusCode, 200);
  t.equal(answer.json().scope, 'reader writer');
  const claims = (await as(answer.json().access_token, { url: '/v1/whoami' })).json();
  t.equal(claims.aud, context.config.AUDIENCE);
});

t.test('a method other than POST is refused as on every route', async (t) => {
  const answer = await app.inject({ url: `/oauth/token?grant_type=${grant_type}` });
  t.equal(answer.statusCode, 405);
  t.equal(answer.headers.allow, 'POST');
});

const renew = (refresh_token: string, fields = {}, headers = {}) =>
  send({ grant_type: 'refresh_token', refresh_token, ...fields }, headers);
const invalid = (t: Test, answer: Awaited<ReturnType<typeof renew>>) =>
  oauthRefused(t, answer, 400, 'invalid_grant');

t.test('a refresh token gets new tokens, as at /v1/refresh', async (t) => {
  const ada = await signedIn(app, 'ada@example.com', { roles: ['editor'] });
  const answer = await renew(ada.refresh_token);
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal(answer.headers.pragma, 'no-cache');
  const { access_token, refresh_token, ...rest } = answer.json();
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'editor' });
  const claims = (await as(access_token, { url: '/v1/whoami' })).json();
  t.match(claims, { sub: ada.id, client_id: 'latchkey', roles: ['editor'] });
  t.notHas(claims, 'scope', 'only a service account has it');
  t.equal(
    (await renew(ada.refresh_token)).json().refresh_token,
    refresh_token,
    'a lost answer is repeated',
  );
  t.equal((await renew(refresh_token)).statusCode, 200);
  t.equal((await context.users.findById(ada.id))?.sessions[0]?.gen, 2);
});

t.test('a reused refresh token ends the session, and its owner gets a mail', async (t) => {
  const dora = await signedIn(app, 'dora@example.com');
  const second = (await renew(dora.refresh_token)).json();
  const third = (await renew(second.refresh_token)).json();
  clock.advance(30_001);
  invalid(t, await renew(dora.refresh_token));
  invalid(t, await renew(third.refresh_token));
  for (const { access_token } of [dora, second, third]) {
    t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 401);
  }
  t.equal(app.events().filter((event) => event === 'session.reuse_detected').length, 1);
  t.same((await box.next()).recipients, ['dora@example.com']);
  t.equal(await box.settled(), 1, 'once');
});

t.test('an invalid refresh token gets no new tokens', async (t) => {
  const carl = await signedIn(app, 'carl@example.com');
  invalid(t, await renew(carl.access_token));
  invalid(t, await renew(carl.device_token));
  invalid(t, await renew('x'));
  invalid(t, await renew(`${carl.refresh_token}x`));
  oauthRefused(t, await renew(''), 400, 'invalid_request');
  oauthRefused(t, await renew('x'.repeat(4_097)), 400, 'invalid_request');
  oauthRefused(t, await send({ grant_type: 'refresh_token' }), 400, 'invalid_request');
  const { statusCode } = await renew(carl.refresh_token);
  t.equal(statusCode, 200, 'and nothing is used up');

  const disabled = await signedIn(app, 'disabled@example.com', { status: 'disabled' });
  invalid(t, await renew(disabled.refresh_token));
  const idle = await signedIn(app, 'idle@example.com');
  await context.users.change(idle.id, (user) => ({
    user: { ...user, sessions: user.sessions.map((one) => ({ ...one, transport: 'cookie' })) },
    result: undefined,
  }));
  invalid(t, await renew(idle.refresh_token));
});

t.test('a session from before the second factor gets no new tokens here either', async (t) => {
  const faye = await signedIn(app, 'faye@example.com');
  const { mfa } = factor(app, faye);
  await context.users.change(faye.id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  invalid(t, await renew(faye.refresh_token));
});

t.test(
  'a client that authenticates must do so correctly, and cannot use a refresh token of a user',
  async (t) => {
    const gina = await signedIn(app, 'gina@example.com');
    const wrong = { client_id: client.id, client_secret: 'wrong' };
    oauthRefused(t, await renew(gina.refresh_token, wrong), 401, 'invalid_client');
    const basicWrong = basic({ ...client, secret: 'wrong' });
    oauthRefused(t, await renew(gina.refresh_token, {}, basicWrong), 401, 'invalid_client');
    invalid(t, await renew(gina.refresh_token, {}, basic(client)));
    invalid(t, await renew(gina.refresh_token, credentials));
    t.equal(
      (await context.users.findById(gina.id))?.sessions[0]?.gen,
      0,
      'no session was refreshed',
    );
    const named = await renew(gina.refresh_token, { client_id: 'spa' });
    t.equal(named.statusCode, 200, 'a client_id alone is no authentication');
  },
);

t.test('a refresh token ends when its session does', async (t) => {
  const hugo = await signedIn(app, 'hugo@example.com');
  clock.advance(14 * 86_400_000);
  invalid(t, await renew(hugo.refresh_token));
});

t.test('a failing database and too many requests are OAuth errors too', async (t) => {
  const limited = await testApp(t, { env: { AUTH_RATE_LIMIT: '2/1m' } });
  const one = await serviceAccount(limited);
  await form(limited, '/oauth/token', { grant_type }, basic(one));
  await form(limited, '/oauth/token', '');
  const many = await form(limited, '/oauth/token', { grant_type }, basic(one));
  oauthRefused(t, many, 429, 'temporarily_unavailable');
  t.equal(many.headers['retry-after'], '60');

  const broken = await testApp(t);
  const two = await serviceAccount(broken);
  const eve = await signedIn(broken, 'eve@example.com');
  await broken.context.close();
  for (const answer of [
    await form(broken, '/oauth/token', { grant_type }, basic(two)),
    await form(broken, '/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: eve.refresh_token,
    }),
    await form(broken, '/oauth/introspect', { token: eve.access_token }, basic(two)),
    await form(broken, '/oauth/revoke', { token: eve.access_token }),
  ]) {
    const { error_description } = oauthRefused(t, answer, 503, 'temporarily_unavailable');
    t.equal(answer.headers['retry-after'], '1');
    t.notMatch(error_description, /sql|driver|connection|find/i);
  }
});

t.test('an internal error does not show its cause', async (t) => {
  const broken = await testApp(t);
  const one = await serviceAccount(broken, Array(40).fill('r'.repeat(32)));
  const answer = await form(broken, '/oauth/token', { grant_type }, basic(one));
  const { error_description } = oauthRefused(t, answer, 500, 'server_error');
  t.notMatch(error_description, /1 KB|roles/);
  t.ok(
    broken.logs.some(({ level }) => level === 50),
    'the log has it',
  );
});
