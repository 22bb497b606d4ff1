import t from 'tap';
import { openDatabase } from '../../../src/parts/storage/database.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

t.test('the claims are in the body and in headers', async (t) => {
  const { signUp, as, context, clock } = await testApp(t);
  const { access_token, session_id } = await signUp();
  const answer = await as(access_token, { url: '/v1/whoami' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  const user = await context.users.findByEmail('ada@example.com');
  const now = clock.now / 1_000;
  const { jti, ...claims } = answer.json();
  t.match(jti, /^[\w-]{22}$/);
  t.strictSame(claims, {
    iss: 'http://localhost:3000',
    aud: 'http://localhost:3000',
    sub: user?.id,
    client_id: 'latchkey',
    iat: now,
    exp: now + 900,
    sid: session_id,
    ver: 0,
    roles: [],
    amr: ['pwd'],
    auth_time: now,
  });
  t.match(answer.headers, {
    'x-auth-subject': user?.id,
    'x-auth-roles': '',
    'x-auth-session': session_id,
  });
});

t.test('roles are in one header', async (t) => {
  const { signUp, login, as, context } = await testApp(t);
  await signUp();
  const user = await context.users.findByEmail('ada@example.com');
  await context.users.change(user?.id as string, (before) => ({
    user: { ...before, roles: ['admin', 'auditor'] },
    result: undefined,
  }));
  const { access_token } = (await login()).json();
  const answer = await as(access_token, { url: '/v1/whoami' });
  t.equal(answer.headers['x-auth-roles'], 'admin,auditor');
});

t.test('nothing is read from the database, so the route works without it', async (t) => {
  let queries = 0;
  const database = openDatabase({
    url: 'file::memory:',
    pool: 1,
    plugins: [
      {
        transformQuery: ({ node }) => {
          queries += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      },
    ],
  });
  const { signUp, as } = await testApp(t, { database });
  const { access_token } = await signUp();
  t.ok(queries > 0, 'the counter sees a sign-up');
  queries = 0;
  for (let call = 0; call < 5; call += 1)
    t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  t.equal(queries, 0);
  await database.destroy();
  t.equal((await as(access_token, { url: '/v1/whoami' })).statusCode, 200);
  refused(t, await as(access_token, { url: '/v1/me' }), 503, 'unavailable');
});

t.test('TOK-10 a token expires with its last second, cached or not', async (t) => {
  const { signUp, login, as, clock } = await testApp(t);
  const seen = await signUp();
  const unseen = (await login()).json();
  clock.advance(899_999);
  t.equal((await as(seen.access_token, { url: '/v1/whoami' })).statusCode, 200);
  clock.advance(1);
  for (const { access_token } of [seen, unseen])
    refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_expired');
});
