import argon2 from 'argon2';
import t, { type Test } from 'tap';
import { butForCounts, forgive, passwordHash, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const EMAIL = 'ada@example.com';
const service = await testApp(t);
const { app, signUp, login, post, as, refresh, context, clock, logs, events } = service;
const first = await signUp();
const row = async () => {
  const user = await context.users.findByEmail(EMAIL);
  if (user === undefined) throw new Error('no such user');
  return user;
};
const jtiOf = (deviceToken: string) => context.ownTokens.read('device', deviceToken)?.jti;

/** Starts each test without the failures of the one before. */
const test = (title: string, body: (t: Test) => Promise<unknown>) =>
  t.test(title, async (t) => {
    await forgive(service, EMAIL).catch(() => undefined);
    await body(t);
  });

test('the right password starts a new session beside the others', async (t) => {
  const answer = await login();
  t.equal(answer.statusCode, 200);
  const tokens = answer.json();
  t.not(tokens.session_id, first.session_id);
  t.match(tokens, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 14 * 86_400 });
  t.ok(tokens.refresh_after >= 600 && tokens.refresh_after <= 720, 'well before the token expires');
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal((await as(tokens.access_token, { url: '/v1/me' })).statusCode, 200);
  t.equal((await as(first.access_token, { url: '/v1/me' })).statusCode, 200);
  t.same(
    events().filter((event) => event !== 'mail.sent'),
    ['account.created', 'sign_in.ok'],
  );
});

test('AUT-09 PWD-04 the address works in every spelling, the password in only one', async (t) => {
  t.equal((await login(' ADA@example.COM ')).statusCode, 200);
  for (const password of [PASSWORD.toUpperCase(), `${PASSWORD} `, PASSWORD.slice(0, -1)]) {
    refused(t, await login(EMAIL, password), 401, 'invalid_credentials');
  }
});

test('AUT-01 AUT-12 a stranger cannot tell an unknown address from a wrong password', async (t) => {
  const before = await row();
  const wrong = await login(EMAIL, `${PASSWORD}!`);
  const unknown = await login('eve@example.com', PASSWORD);
  refused(t, wrong, 401, 'invalid_credentials');
  t.equal(wrong.headers['www-authenticate'], 'Bearer realm="Latchkey"');
  t.same({ ...wrong.json(), instance: '' }, { ...unknown.json(), instance: '' });
  const comparable = ({ headers }: typeof wrong) => ({ ...headers, date: '' });
  t.same(comparable(wrong), comparable(unknown));
  t.same(butForCounts(await row()), butForCounts(before), 'nothing else was written');
  const happened = events().filter((name) => !name.startsWith('mail.'));
  t.same(happened.slice(-2), ['sign_in.refused', 'sign_in.refused']);
});

test('AUT-02 an unknown address costs a hash like a known one', async (t) => {
  const own = await testApp(t, { pace: 'real' });
  await own.signUp();
  const cost = async (email: string) => {
    const from = process.cpuUsage();
    await own.login(email, 'not the password at all');
    const { user, system } = process.cpuUsage(from);
    return user + system;
  };
  const median = async (email: string) => {
    const costs = [await cost(email), await cost(email), await cost(email)];
    return costs.sort((a, b) => a - b)[1] as number;
  };
  const ratio = (await median('nobody@example.com')) / (await median(EMAIL));
  t.ok(ratio > 0.4 && ratio < 2.5, `ratio ${ratio}`);
});

test('PWD-09 AUT-01 a disabled account and one with a damaged hash answer like a wrong password', async (t) => {
  const { password_hash, status } = await row();
  for (const change of [
    { status: 'disabled' as const },
    { password_hash: '' },
    { password_hash: '!' },
    { password_hash: '$argon2id$v=19$damaged' },
    { password_hash: null },
  ]) {
    await context.users.change((await row()).id, (user) => ({
      user: { ...user, ...change },
      result: undefined,
    }));
    const before = await row();
    refused(t, await login(), 401, 'invalid_credentials');
    t.same(butForCounts(await row()), butForCounts(before), 'no session');
    await forgive(service, EMAIL);
    await context.users.change(before.id, (user) => ({
      user: { ...user, password_hash, status },
      result: undefined,
    }));
  }
});

test('with the cookie transport both long-lived tokens are cookies', async (t) => {
  const answer = await post('/v1/login', { email: EMAIL, password: PASSWORD, transport: 'cookie' });
  t.equal(answer.statusCode, 200);
  t.notOk('refresh_token' in answer.json());
  t.notOk('device_token' in answer.json());
  t.match(answer.cookies, [
    { name: '__Secure-latchkey_refresh', maxAge: 14 * 86_400 },
    { name: '__Secure-latchkey_device', maxAge: 180 * 86_400 },
  ]);
  const [session] = (await row()).sessions.filter(({ id }) => id === answer.json().session_id);
  t.equal(session?.transport, 'cookie');
});

test('a device keeps its ID at the next sign-in', async (t) => {
  const again = { email: EMAIL, password: PASSWORD, device_token: first.device_token };
  const answer = await post('/v1/login', again);
  t.equal(jtiOf(answer.json().device_token), jtiOf(first.device_token));
  const cookie = `__Secure-latchkey_device=${first.device_token}`;
  const byCookie = await post('/v1/login', { email: EMAIL, password: PASSWORD }, { cookie });
  t.equal(jtiOf(byCookie.json().device_token), jtiOf(first.device_token));
});

test('without a valid device token of this user, the device is new', async (t) => {
  const eve = await signUp('eve@example.com');
  const broken = `${first.device_token.slice(0, -4)}AAAA`;
  for (const device_token of [eve.device_token, first.refresh_token, broken, 'x']) {
    const answer = await post('/v1/login', { email: EMAIL, password: PASSWORD, device_token });
    t.equal(answer.statusCode, 200);
    const jti = jtiOf(answer.json().device_token);
    t.ok(jti);
    t.not(jti, jtiOf(first.device_token));
    t.not(jti, jtiOf(eve.device_token));
  }
});

test('REF-12 a sign-in never adopts the session of a token sent along', async (t) => {
  const eve = (await login('eve@example.com')).json();
  const answer = await post(
    '/v1/login',
    { email: EMAIL, password: PASSWORD },
    {
      cookie: `__Secure-latchkey_refresh=${eve.refresh_token}`,
      authorization: `Bearer ${eve.access_token}`,
    },
  );
  t.equal(answer.statusCode, 200);
  t.not(answer.json().session_id, eve.session_id);
  t.equal((await refresh(eve.refresh_token)).statusCode, 200, "eve's session is untouched");
});

test('two sign-ins at once both succeed, each with a session of its own', async (t) => {
  const [one, two] = await Promise.all([login(), login()]);
  t.same([one?.statusCode, two?.statusCode], [200, 200]);
  const ids = (await row()).sessions.map(({ id }) => id);
  t.ok(ids.includes(one?.json().session_id));
  t.ok(ids.includes(two?.json().session_id));
});

test('REF-13 the least recently used session makes room, and its tokens stop working', async (t) => {
  const { signUp, login, refresh, as, clock, context } = await testApp(t, {
    env: { MAX_SESSIONS: '3' },
  });
  const first = await signUp();
  clock.advance(1_000);
  const second = (await login()).json();
  clock.advance(1_000);
  const used = (await refresh(first.refresh_token)).json();
  await login();
  clock.advance(1_000);
  await login();
  t.equal((await as(second.access_token, { url: '/v1/whoami' })).statusCode, 401);
  t.equal((await refresh(second.refresh_token)).statusCode, 401);
  t.equal((await as(used.access_token, { url: '/v1/whoami' })).statusCode, 200);
  const user = await context.users.findByEmail(EMAIL);
  t.equal(user?.sessions.filter(({ ended_at }) => ended_at === undefined).length, 3);
});

test('a long User-Agent is shortened, and a missing one is accepted', async (t) => {
  const body = { email: EMAIL, password: PASSWORD };
  const long = await post('/v1/login', body, { 'user-agent': 'x'.repeat(5_000) });
  const request = { method: 'POST', url: '/v1/login', payload: body } as const;
  const none = await app.inject({ ...request, headers: { 'user-agent': undefined } });
  const clientOf = async (id: string) =>
    (await row()).sessions.find((session) => session.id === id)?.client;
  t.equal(await clientOf(long.json().session_id), 'x'.repeat(100));
  t.equal(await clientOf(none.json().session_id), '');
});

test('without a database a sign-in gets 503, and is not logged as refused', async (t) => {
  clock.advance(1_000);
  await context.close();
  const answer = await login();
  refused(t, answer, 503, 'unavailable');
  t.equal(answer.headers['retry-after'], '1');
  t.match(
    logs.findLast(({ level }) => level === 50),
    { msg: 'unavailable' },
  );
  t.not(events().at(-1), 'sign_in.refused');
});

t.test('a no-break space that a Mac types is a space, also in a password of before', async (t) => {
  const own = await testApp(t);
  const { login, context } = own;
  const typed = PASSWORD.replaceAll(' ', '\u00a0');
  await signedIn(own, 'mac@example.com', { password_hash: passwordHash(own) });
  t.equal((await login('mac@example.com', typed)).statusCode, 200);

  const { id } = await signedIn(own, 'before@example.com', {
    password_hash: await argon2.hash(typed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
  });
  refused(t, await login('before@example.com'), 401, 'invalid_credentials');
  t.equal((await login('before@example.com', typed)).statusCode, 200);
  t.equal(
    (await login('before@example.com')).statusCode,
    200,
    'and this hashes the password again',
  );
  const after = (await context.users.findById(id))?.password_hash;
  t.equal((await login('before@example.com', typed)).statusCode, 200);
  t.equal((await context.users.findById(id))?.password_hash, after, 'once');
});
