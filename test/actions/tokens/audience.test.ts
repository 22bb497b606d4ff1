import t, { type Test } from 'tap';
import type { User } from '../../../src/schemas/user.ts';
import { coded, verifyCode } from '../../mail-codes.ts';
import { mailbox } from '../../mailbox.ts';
import { oauthRefused } from '../../oauth-refused.ts';
import { enrolled, requested, SoftAuthenticator, signInWith } from '../../passkeys.ts';
import { basic, factor, form, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const A = 'https://a.example.com/api';
const B = 'urn:example:b';
const box = await mailbox(t);
const env = { AUDIENCE: 'https://main.example.com', AUDIENCES: `${A}, ${B}`, MAIL_URL: box.url };
const app = await testApp(t, { env });
const { as, context, post, refresh } = app;
const client = await serviceAccount(app, ['reader']);

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());

const UNKNOWN = [
  'https://c.example.com',
  `${A}/`,
  `${A}#part`,
  `${A}?x=1`,
  A.toUpperCase(),
  '/api',
  '',
  'x'.repeat(1_000),
];

/** Asserts that the token is for this resource, and opens nothing here. */
async function isFor(t: Test, resource: string, token: string) {
  t.equal(claimsOf(token).aud, resource);
  for (const url of ['/v1/whoami', '/v1/me'])
    refused(t, await as(token, { url }), 401, 'token_invalid');
  refused(t, await as(token, { method: 'POST', url: '/v1/logout' }), 401, 'token_invalid');
}

t.test('every sign-in gives a token for the resource that it asks for', async (t) => {
  const account = { email: 'ada@example.com', password: PASSWORD };
  const made = await post('/v1/register', { ...account, resource: A });
  t.equal(made.statusCode, 201);
  await isFor(t, A, made.json().access_token);

  await post('/v1/register', { email: 'bob@example.com' });
  const token = await box.token('bob@example.com');
  const completed = await post('/v1/register/complete', { token, password: PASSWORD, resource: B });
  await isFor(t, B, completed.json().access_token);

  await isFor(t, B, (await post('/v1/login', { ...account, resource: B })).json().access_token);
  const plain = await post('/v1/login', account);
  t.equal(claimsOf(plain.json().access_token).aud, env.AUDIENCE, 'without one: for this service');
  const own = await post('/v1/login', { ...account, resource: env.AUDIENCE });
  t.equal((await as(own.json().access_token, { url: '/v1/me' })).statusCode, 200);

  const cara = await signedIn(app, 'cara@example.com');
  const passkey = await enrolled(app, cara.access_token);
  const signed = await signInWith(app, passkey.get(await requested(app)), { resource: A });
  t.equal(signed.statusCode, 200);
  await isFor(t, A, signed.json().access_token);

  const mailed = await coded(app, 'cara@example.com');
  const byCode = await verifyCode(app, mailed.token, mailed.code, { resource: B });
  await isFor(t, B, byCode.json().access_token);
});

t.test('the challenge of a second factor carries the resource', async (t) => {
  const dora = await signedIn(app, 'dora@example.com');
  const { mfa, code } = factor(app, dora);
  await context.users.change(dora.id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const credentials = { email: 'dora@example.com', password: PASSWORD };
  const { mfa_token } = (await post('/v1/login', { ...credentials, resource: A })).json();
  const other = await post('/v1/login/mfa', { mfa_token, code: code(), resource: B });
  refused(t, other, 422, 'invalid_input');
  const answer = await post('/v1/login/mfa', { mfa_token, code: code() });
  await isFor(t, A, answer.json().access_token);
});

t.test('each refresh and step-up names its resource: the session remembers none', async (t) => {
  const eve = await signedIn(app, 'eve@example.com');
  const of = async (refresh_token: string, resource?: string) =>
    (await post('/v1/refresh', { refresh_token, ...(resource && { resource }) })).json();
  const first = await of(eve.refresh_token, A);
  await isFor(t, A, first.access_token);
  const second = await of(first.refresh_token, B);
  await isFor(t, B, second.access_token);
  const third = await of(second.refresh_token);
  t.equal((await as(third.access_token, { url: '/v1/me' })).statusCode, 200);
  const retried = await of(second.refresh_token, A);
  t.equal(retried.refresh_token, third.refresh_token, 'a retry gets the same successor');
  await isFor(t, A, retried.access_token);
  const stepUp = (payload: object, token = third.access_token) =>
    as(token, { method: 'POST', url: '/v1/me/verify', payload });
  const verified = await stepUp({ password: PASSWORD, resource: A });
  await isFor(t, A, verified.json().access_token);
  refused(t, await stepUp({ resource: A }), 422, 'invalid_input');
  refused(t, await stepUp({ password: PASSWORD }, retried.access_token), 401, 'token_invalid');
});

t.test('a resource that is not configured is refused, and nothing is spent', async (t) => {
  const eve = await signedIn(app, 'eve2@example.com');
  const rows = await context.users.count();
  const credentials = { email: 'eve2@example.com', password: PASSWORD };
  const { refresh_token } = eve;
  const passkey = new SoftAuthenticator().get({ challenge: 'x' }, { user: eve.id });
  for (const resource of UNKNOWN) {
    for (const [url, body] of Object.entries({
      '/v1/login': credentials,
      '/v1/register': { email: 'new@example.com', password: PASSWORD },
      '/v1/register/complete': { token: 'x', password: PASSWORD },
      '/v1/login/code/verify': { code_token: 'x', code: '12345678' },
      '/v1/login/passkey': { passkey },
      '/v1/login/id-token': { provider: '1', id_token: 'x', nonce_token: 'x' },
      '/v1/refresh': { refresh_token },
    }))
      refused(t, await post(url, { ...body, resource }), 422, 'invalid_target');
    const verify = { method: 'POST', url: '/v1/me/verify' } as const;
    const proof = { password: PASSWORD, resource };
    refused(t, await as(eve.access_token, { ...verify, payload: proof }), 422, 'invalid_target');
    // RFC 6749 section 3.2: a parameter without a value counts as absent.
    for (const fields of [
      { grant_type: 'refresh_token', refresh_token, resource },
      {
        grant_type: 'client_credentials',
        client_id: client.id,
        client_secret: client.secret,
        resource,
      },
    ])
      if (resource !== '')
        oauthRefused(t, await form(app, '/oauth/token', fields), 400, 'invalid_target');
  }
  for (const resource of [[A, B], [A], 1, null, { uri: A }])
    refused(t, await post('/v1/login', { ...credentials, resource }), 422, 'invalid_input');
  t.equal(await context.users.count(), rows);
  t.equal((await context.users.findById(eve.id))?.sessions[0]?.gen, 0, 'the session is as it was');
  t.equal((await refresh(refresh_token)).statusCode, 200);
});

t.test('/oauth/token gives a token for one resource', async (t) => {
  const grant = { grant_type: 'client_credentials', resource: A };
  const issued = await form(app, '/oauth/token', grant, basic(client));
  await isFor(t, A, issued.json().access_token);
  const eve = await signedIn(app, 'eve3@example.com');
  const renewal = { grant_type: 'refresh_token', refresh_token: eve.refresh_token, resource: B };
  await isFor(t, B, (await form(app, '/oauth/token', renewal)).json().access_token);

  const twice = `grant_type=client_credentials&resource=${A}&resource=${B}`;
  oauthRefused(t, await form(app, '/oauth/token', twice, basic(client)), 400, 'invalid_target');
  const both = `${twice}&grant_type=client_credentials`;
  oauthRefused(t, await form(app, '/oauth/token', both, basic(client)), 400, 'invalid_request');
  const long = { ...grant, resource: `${A}${'x'.repeat(1_000)}` };
  oauthRefused(t, await form(app, '/oauth/token', long, basic(client)), 400, 'invalid_request');
  const stranger = { id: client.id, secret: 'wrong' };
  const asked = { ...grant, resource: 'https://c.example.com' };
  oauthRefused(t, await form(app, '/oauth/token', asked, basic(stranger)), 401, 'invalid_client');
});

t.test(
  'introspection tells the audience, and a token for another service can be revoked',
  async (t) => {
    const eve = await signedIn(app, 'eve4@example.com');
    const { access_token } = (
      await post('/v1/refresh', { ...eve, resource: A }).then(() =>
        post('/v1/login', { email: 'eve4@example.com', password: PASSWORD, resource: A }),
      )
    ).json();
    const told = async () =>
      (await form(app, '/oauth/introspect', { token: access_token }, basic(client))).json();
    t.match(await told(), { active: true, aud: A, sub: eve.id });
    t.match(await told(), { active: true, aud: A });
    await isFor(t, A, access_token);
    t.equal((await form(app, '/oauth/revoke', { token: access_token })).statusCode, 200);
    t.same(await told(), { active: false });
    refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_invalid');
  },
);

t.test('the longest audience counts when roles and claims are set', async (t) => {
  const long = `https://${'x'.repeat(80)}.example.com`;
  const wide = await testApp(t, { env: { AUDIENCES: `${long},urn:a:b` } });
  const narrow = await testApp(t, {});
  const eve = await signedIn(narrow, 'eve@example.com');
  const user = (await narrow.context.users.findById(eve.id)) as User;
  const [more, less] = [wide, narrow].map(({ context }) => context.accessTokens.longest(user));
  t.ok(
    (more ?? 0) >=
      (less ?? 0) + Math.floor(((long.length - 'http://localhost:3000'.length) * 4) / 3),
  );
});
