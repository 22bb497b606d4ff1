import t from 'tap';
import { butForCounts } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const { signUp, login, as, refresh, inject, context, clock, events } = await testApp(t);
const eve = await signUp('eve@example.com');
const remove = (token: string, password = PASSWORD) =>
  as(token, { method: 'DELETE', url: '/v1/me', payload: { password } });

t.test('without the password nothing is deleted', async (t) => {
  const { access_token } = await signUp();
  const before = await context.users.findByEmail('ada@example.com');
  refused(t, await remove(access_token, `${PASSWORD}!`), 403, 'wrong_password');
  refused(t, await as(access_token, { method: 'DELETE', url: '/v1/me' }), 422, 'invalid_input');
  const body = { method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } } as const;
  refused(t, await inject(body), 401, 'token_missing');
  const after = await context.users.findByEmail('ada@example.com');
  t.same(butForCounts(after), butForCounts(before));
});

t.test('DAT-04 the account is deleted at once, and all its tokens are revoked', async (t) => {
  const one = (await login()).json();
  const two = (await login()).json();
  const id = (await context.users.findByEmail('ada@example.com'))?.id as string;
  const answer = await remove(one.access_token);
  t.equal(answer.statusCode, 204);
  t.match(answer.cookies, [{ name: '__Secure-latchkey_refresh', value: '', maxAge: 0 }]);
  for (const { access_token, refresh_token } of [one, two]) {
    refused(t, await as(access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  }
  refused(t, await remove(two.access_token), 401, 'token_revoked');
  refused(t, await login(), 401, 'invalid_credentials');
  const { row_version: _, ...empty } = (await context.users.findById(id)) ?? {};
  t.strictSame(empty, {
    id,
    kind: 'person',
    email: null,
    email_key: null,
    email_verified_at: null,
    claimed_at: null,
    passkeys: [],
    claims: {},
    mail_codes: { counter: 0, tried: [] },
    identity_1: null,
    identity_2: null,
    identity_3: null,
    identity_4: null,
    used_nonces: [],
    devices_since: null,
    name: null,
    password_hash: null,
    roles: [],
    status: 'deleted',
    token_version: 1,
    access_version: 1,
    reset_letters: 0,
    secret_hashes: null,
    sessions: [],
    throttle: [],
    mfa: { challenges: [] },
    revoked_at: clock.now,
    created_at: clock.now,
    updated_at: clock.now,
    last_login_at: null,
  });
  t.equal(events().filter((event) => event === 'account.deleted').length, 1);
  t.equal((await as(eve.access_token, { url: '/v1/me' })).statusCode, 200, "eve's is untouched");
});

t.test('the address is free again, for a different account', async (t) => {
  const again = await signUp();
  t.equal((await as(again.access_token, { url: '/v1/me' })).statusCode, 200);
});

t.test('the emptied row is removed once every token has expired', async (t) => {
  const { access_token } = await signUp('carl@example.com');
  const id = (await context.users.findByEmail('carl@example.com'))?.id as string;
  await remove(access_token);
  clock.advance(900_000);
  await context.revocationFeed.poll();
  t.ok(await context.users.findById(id));
  clock.advance(60_001);
  await context.revocationFeed.poll();
  t.equal(await context.users.findById(id), undefined);
});
