import t, { type Test } from 'tap';
import { opened, postgres, sqliteFile } from '../../databases.ts';
import {
  admin,
  audit,
  basic,
  form,
  type SignedIn,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { keysFor, PASSWORD, type TestApp, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, inject, refresh } = app;
const root = await admin(app);
const amend = (id: string, payload: object | string, token = root.access_token) =>
  as(token, {
    method: 'PATCH',
    url: `/v1/users/${id}`,
    headers: { 'content-type': 'application/json' },
    payload,
  });
const whoami = async (token: string, { as } = app) =>
  (await as(token, { url: '/v1/whoami' })).json();
const claimsOf = async (id: string) => (await context.users.findById(id))?.claims;

const CLAIMS = { plan: 'pro', 'https://example.com/tenant': { id: 42, tags: ['a', null, true] } };

for (const engine of [sqliteFile(t), await postgres(t)])
  t.test(`on ${engine.name} claims are in every token from the next refresh on`, async (t) => {
    const app = await testApp(t, { database: opened(t, await engine.create()) });
    const root = await admin(app);
    const eve = await signedIn(app, 'eve@example.com');
    const url = `/v1/users/${eve.id}`;
    t.same((await app.as(root.access_token, { url })).json().claims, {});
    const changed = await app.as(root.access_token, {
      method: 'PATCH',
      url,
      payload: { claims: CLAIMS },
    });
    t.equal(changed.statusCode, 200);
    t.same(changed.json().claims, CLAIMS);
    t.same((await app.as(root.access_token, { url })).json().claims, CLAIMS);
    const { users } = (await app.as(root.access_token, { url: '/v1/users' })).json();
    t.same(users.find(({ id }: { id: string }) => id === eve.id).claims, CLAIMS);

    t.notHas(await whoami(eve.access_token, app), 'plan', 'the token of before goes on as it is');
    const next = (await app.refresh(eve.refresh_token)).json();
    t.match(await whoami(next.access_token, app), { sub: eve.id, ...CLAIMS });
    const verified = await app.as(next.access_token, {
      method: 'POST',
      url: '/v1/me/verify',
      payload: { password: PASSWORD },
    });
    t.match(await whoami(verified.json().access_token, app), CLAIMS);
    const signIn = await app.login('eve@example.com');
    t.match(await whoami(signIn.json().access_token, app), CLAIMS);

    const service = await serviceAccount(app);
    const question = { token: next.access_token };
    const told = await form(app, '/oauth/introspect', question, basic(service));
    t.match(told.json(), { active: true, sub: eve.id, ...CLAIMS });

    const gone = await app.as(root.access_token, { method: 'DELETE', url });
    t.equal(gone.statusCode, 204);
    t.same((await app.context.users.findById(eve.id))?.claims, {}, 'erased with the account');
  });

t.test('new claims replace the old ones, and the log has their names alone', async (t) => {
  const eve = await signedIn(app, 'eve2@example.com');
  await amend(eve.id, { claims: { plan: 'secret plan', seats: 3 } });
  t.match(audit(app).at(-1), {
    event: 'admin.user_changed',
    actor: root.id,
    after: { roles: [], status: 'active', claims: ['plan', 'seats'] },
  });
  t.notMatch(JSON.stringify(app.logs), 'secret plan');
  await amend(eve.id, { name: 'Eve' });
  t.same(await claimsOf(eve.id), { plan: 'secret plan', seats: 3 }, 'a new name leaves them');
  t.notHas(audit(app).at(-1)?.after, 'claims');
  await amend(eve.id, { claims: { plan: 'free' } });
  t.same(await claimsOf(eve.id), { plan: 'free' });
  t.match(await context.users.findById(eve.id), { token_version: 0, access_version: 0 });
  await amend(eve.id, { claims: {} });
  t.same(await claimsOf(eve.id), {});
});

const REGISTERED = [
  ...'iss sub aud exp nbf iat jti sid roles scope client_id amr auth_time acr azp cnf act'.split(
    ' ',
  ),
  ...'email name ver typ groups entitlements nonce may_act events vct#integrity'.split(' '),
  ...'active username token_type role scp admin alg kid _sd ...'.split(' '),
  ...'Sub AUD Roles sCope'.split(' '),
];
const OTHER_NAMES = ['', '1st', 'a b', 'a"b', '\u0436', 'a\n', '-a', 'toString', 'hasOwnProperty'];

t.test(
  'names that are registered, or that mean something to JavaScript, are refused',
  async (t) => {
    const eve = await signedIn(app, 'eve3@example.com');
    for (const name of REGISTERED) {
      const { errors } = refused(
        t,
        await amend(eve.id, { claims: { [name]: 1 } }),
        422,
        'invalid_input',
      );
      t.match(errors, [{ path: /^\/claims\//, message: 'is a registered name' }], name);
    }
    for (const name of OTHER_NAMES) {
      const { errors } = refused(
        t,
        await amend(eve.id, { claims: { [name]: 1 } }),
        422,
        'invalid_input',
      );
      t.match(errors, [{ message: /must start with a letter/ }], name);
    }
    for (const text of [
      '{"__proto__":1}',
      '{"constructor":1}',
      '{"a":{"__proto__":1}}',
      '{"a":1,"a":2}',
    ])
      refused(t, await amend(eve.id, `{"claims":${text}}`), 400, 'malformed_json');
    t.same(await claimsOf(eve.id), {});
  },
);

t.test('values that are too deep, or that JSON does not keep, are refused', async (t) => {
  const eve = await signedIn(app, 'eve4@example.com');
  for (const text of [
    '[[[[]]]]',
    '{"a":{"b":{"c":{}}}}',
    '[[[{}]]]',
    '9007199254740993',
    '1e400',
    '[-1e400]',
    '"\\ud800"',
    '{"\\ud800":1}',
    '{"valueOf":1}',
  ]) {
    const answer = await amend(eve.id, `{"claims":{"x":${text}}}`);
    t.match(refused(t, answer, 422, 'invalid_input').errors, [{ path: '/claims/x' }], text);
  }
  for (const claims of [null, [], 'x', 1, true])
    refused(t, await amend(eve.id, { claims }), 422, 'invalid_input');
  const fine = '[[[]],{"b":{"c":null}},-0.5,9007199254740991,"\\u0000",true]';
  t.equal((await amend(eve.id, `{"claims":{"x":${fine}}}`)).statusCode, 200);
  const { access_token } = (await refresh(eve.refresh_token)).json();
  t.same((await whoami(access_token)).x, JSON.parse(fine));
});

t.test('256 bytes in UTF-8 are accepted, one more is not', async (t) => {
  // Its signatures are the shortest.
  const app = await testApp(t, { env: { SIGNING_KEYS: keysFor('HS256') } });
  const root = await admin(app);
  const eve = await signedIn(app, 'eve5@example.com');
  const amend = (id: string, payload: object) =>
    app.as(root.access_token, { method: 'PATCH', url: `/v1/users/${id}`, payload });
  // {"x":""} has eight bytes.
  for (const [text, status] of [
    ['a'.repeat(248), 200],
    ['a'.repeat(249), 422],
    ['\u0436'.repeat(124), 200],
    [`${'\u0436'.repeat(124)}a`, 422],
    ['\u{1f511}'.repeat(62), 200],
    ['"'.repeat(124), 200],
    ['"'.repeat(125), 422],
    ['\u0001'.repeat(42), 422],
  ] as const) {
    const answer = await amend(eve.id, { claims: { x: text } });
    t.equal(answer.statusCode, status, text);
    if (status === 422)
      t.match(answer.json().errors, [
        { path: '/claims', message: /at most 256 bytes as JSON, not/ },
      ]);
  }
});

t.test('a user cannot set their own claims', async (t) => {
  const eve = await signedIn(app, 'eve6@example.com');
  const payload = { claims: { plan: 'pro' } };
  const own = await as(eve.access_token, { method: 'PATCH', url: '/v1/me', payload });
  refused(t, own, 422, 'invalid_input');
  refused(t, await amend(eve.id, payload, eve.access_token), 403, 'forbidden');
  const another = { email: 'another@example.com', password: PASSWORD, ...payload };
  refused(t, await app.post('/v1/register', another), 422, 'invalid_input');
  t.same(await claimsOf(eve.id), {});
});

t.test('a service account with the role admin sets claims, one without it does not', async (t) => {
  const eve = await signedIn(app, 'eve7@example.com');
  const tokenOf = async (roles: string[]) =>
    serviceAccountToken(app, await serviceAccount(app, roles));
  const payload = { claims: { plan: 'pro' } };
  refused(t, await amend(eve.id, payload, await tokenOf(['billing'])), 403, 'forbidden');
  t.equal((await amend(eve.id, payload, await tokenOf(['admin']))).statusCode, 200);
  t.same(await claimsOf(eve.id), payload.claims);
});

t.test('an invited user and a new service account get claims', async (t) => {
  const claims = { plan: 'pro' };
  const invitation = { email: 'grace@example.com', claims };
  const invited = await as(root.access_token, {
    method: 'POST',
    url: '/v1/users',
    payload: invitation,
  });
  t.equal(invited.statusCode, 201);
  t.same(invited.json().claims, claims);
  t.same(audit(app).at(-1)?.after, { roles: [], claims: ['plan'] });
  const url = '/v1/service-accounts';
  const made = await as(root.access_token, {
    method: 'POST',
    url,
    payload: { name: 'report', claims, password: PASSWORD },
  });
  t.equal(made.statusCode, 201);
  t.same(audit(app).at(-1)?.after, { roles: [], claims: ['plan'] });
  const { client_id: id, client_secret: secret } = made.json();
  t.match(await whoami(await serviceAccountToken(app, { id, secret })), { sub: id, plan: 'pro' });
  const { service_accounts: all } = (await as(root.access_token, { url })).json();
  t.same(all.find(({ client_id }: { client_id: string }) => client_id === id).claims, claims);
});

/** Roles of almost 200 characters: as many as there may be. */
const MANY = Array.from({ length: 16 }, (_, n) => `role-${n}-xxxx`.slice(0, 11));

/** An app whose tokens are long, an administrator of it, and another user. */
async function tight(t: Test, changes: object = {}) {
  const app = await testApp(t, { env: { ISSUER: `https://${'x'.repeat(60)}.example.com` } });
  const root = await admin(app);
  const eve = await signedIn(app, 'eve@example.com', changes);
  const send = (method: 'PATCH' | 'POST', url: string, payload: object) =>
    app.as(root.access_token, { method, url, payload });
  return {
    app,
    eve,
    send,
    change: (payload: object) => send('PATCH', `/v1/users/${eve.id}`, payload),
  };
}

const isTooLong = (t: Test, answer: Awaited<ReturnType<TestApp['as']>>, path: string) =>
  t.match(refused(t, answer, 422, 'invalid_input').errors, [
    {
      path,
      message: /^roles and claims together are too long: .* \d{4} characters, and 1024 fit$/,
    },
  ]);

t.test(
  'roles and claims that would make a token of over 1 KB are refused when they are set',
  async (t) => {
    const { change, send, eve, app } = await tight(t);
    isTooLong(t, await change({ claims: { x: 'a'.repeat(200) } }), '/claims');
    isTooLong(t, await change({ roles: MANY }), '/roles');
    isTooLong(
      t,
      await send('POST', '/v1/users', { email: 'a@example.com', roles: MANY }),
      '/roles',
    );
    const account = { name: 'report', claims: { x: 'a'.repeat(240) }, password: PASSWORD };
    isTooLong(t, await send('POST', '/v1/service-accounts', account), '/claims');
    t.match(await app.context.users.findById(eve.id), { roles: [], claims: {}, row_version: 0 });
    let size = 200;
    while ((await change({ claims: { x: 'a'.repeat(size) } })).statusCode !== 200) size -= 1;
    t.ok(size > 40, 'what fits is accepted');
    isTooLong(t, await change({ roles: ['editor'] }), '/roles');
    const { access_token } = (await app.refresh(eve.refresh_token)).json();
    t.ok(access_token.length <= 1_024);
  },
);

t.test('what is too long already can be made shorter, and prevents no sign-in', async (t) => {
  const claims = { x: 'a'.repeat(240) };
  const { change, eve, app } = await tight(t, { claims });
  const long = (await app.login('eve@example.com')).json<SignedIn>();
  t.ok(long.access_token.length > 1_024);
  t.match(await whoami(long.access_token, app), claims, 'with the claims all the same');
  const line = app.logs.find(({ msg }) => /over 1 KB/.test(String(msg)));
  t.match(line, { level: 40, user: eve.id, msg: 'access token over 1 KB: x is large' });
  isTooLong(t, await change({ claims: { x: 'a'.repeat(241) } }), '/claims');
  t.equal((await change({ name: 'Eve' })).statusCode, 200, 'what is not in the token');
  t.equal((await change({ claims: { x: 'a'.repeat(239) } })).statusCode, 200, 'shorter');
});

t.test('a name that was registered since then is left out of the token', async (t) => {
  const eve = await signedIn(app, 'eve8@example.com', {
    claims: { sub: 'root', nbf: 1, plan: 'pro' },
  });
  const claims = await whoami(eve.access_token);
  t.match(claims, { sub: eve.id, plan: 'pro' });
  t.notHas(claims, 'nbf');
});

t.test('the guards read no claim but those of the service', async (t) => {
  const eve = await signedIn(app, 'eve9@example.com', {
    claims: { permissions: ['admin'], is_admin: true },
  });
  refused(t, await as(eve.access_token, { url: '/v1/users' }), 403, 'forbidden');
  const proxied = await inject({
    url: '/v1/whoami',
    headers: { authorization: `Bearer ${eve.access_token}` },
  });
  t.equal(proxied.headers['x-auth-roles'], '');
});
