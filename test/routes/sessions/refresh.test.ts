import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { opened, sqliteFile } from '../../databases.ts';
import { mailbox } from '../../mailbox.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, type TestApp, testApp } from '../../test-app.ts';

const ORIGIN = 'https://app.example.com';
const COOKIE = '__Secure-latchkey_refresh';

const { post, inject, as, signUp, login, refresh, context, clock, events } = await testApp(t, {
  env: { CORS_ORIGINS: ORIGIN, MAX_SESSIONS: '100' },
});
const ada = await signUp();
const signIn = async () => (await login()).json();
const row = async () => {
  const user = await context.users.findByEmail('ada@example.com');
  if (user === undefined) throw new Error('no such user');
  return user;
};
const sessionOf = async (id: string) => (await row()).sessions.find((other) => other.id === id);
const whoami = async (token: string) => (await as(token, { url: '/v1/whoami' })).statusCode;

/** A cookie session: its refresh token, and a function that sends it. */
const signInByCookie = async () => {
  const body = { email: 'ada@example.com', password: PASSWORD, transport: 'cookie' };
  const answer = await post('/v1/login', body);
  return { ...answer.json(), refresh_token: answer.cookies[0]?.value as string };
};
const refreshByCookie = (token: string, origin: string | undefined = ORIGIN) =>
  inject({
    method: 'POST',
    url: '/v1/refresh',
    headers: { cookie: `${COOKIE}=${token}`, ...(origin && { origin }) },
  });

/** Asserts that the session has ended: no token of it works, and no other session ended with it. */
async function ended(t: Test, session: { session_id: string; access_token: string }) {
  t.type((await sessionOf(session.session_id))?.ended_at, 'number');
  t.equal(await whoami(session.access_token), 401);
  const other = await sessionOf(ada.session_id);
  t.equal(other?.ended_at, undefined, 'another session of the same user continues');
}

t.test('the current token gets new tokens in the same session', async (t) => {
  const first = await signIn();
  const answer = await refresh(first.refresh_token);
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  const second = answer.json();
  t.equal(second.session_id, first.session_id);
  t.not(second.refresh_token, first.refresh_token);
  t.not(second.access_token, first.access_token);
  t.equal((await sessionOf(first.session_id))?.gen, 1);
  t.equal(await whoami(first.access_token), 200, 'a refresh revokes no access token');
  t.equal(await whoami(second.access_token), 200);
});

t.test('two refreshes at once get the same successor, which works', async (t) => {
  const { refresh_token, session_id } = await signIn();
  const [one, two] = await Promise.all([refresh(refresh_token), refresh(refresh_token)]);
  t.same([one?.statusCode, two?.statusCode], [200, 200]);
  t.equal(one?.json().refresh_token, two?.json().refresh_token);
  t.equal((await sessionOf(session_id))?.gen, 1, 'one rotation');
  t.equal((await refresh(one?.json().refresh_token)).statusCode, 200);
});

t.test(
  'REF-01 fifty refreshes at once get the same successor, and nobody is signed out',
  async (t) => {
    const { refresh_token, session_id } = await signIn();
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)));
    t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]));
    const successors = new Set(answers.map((answer) => answer.json().refresh_token));
    t.equal(successors.size, 1);
    t.equal((await sessionOf(session_id))?.gen, 1);
    t.equal((await refresh([...successors][0])).statusCode, 200);
  },
);

t.test('REF-04 a retry after a lost answer gets the same successor for 30 seconds', async (t) => {
  const { refresh_token, session_id } = await signIn();
  const lost = (await refresh(refresh_token)).json();
  const before = await row();
  for (const wait of [0, 15_000, 15_000]) {
    clock.advance(wait);
    const retry = await refresh(refresh_token);
    t.equal(retry.statusCode, 200);
    t.equal(retry.json().refresh_token, lost.refresh_token);
  }
  t.same(await row(), before, 'a retry writes nothing');
  t.equal((await sessionOf(session_id))?.ended_at, undefined);
  t.equal((await refresh(lost.refresh_token)).statusCode, 200);
});

t.test('REF-04 one millisecond later it is reuse: the session ends', async (t) => {
  const session = await signIn();
  const successor = (await refresh(session.refresh_token)).json();
  clock.advance(30_001);
  refused(t, await refresh(session.refresh_token), 401, 'refresh_reused');
  t.equal(
    events().findLast((name) => !name.startsWith('mail.')),
    'session.reuse_detected',
  );
  await ended(t, successor);
  refused(t, await refresh(successor.refresh_token), 401, 'refresh_invalid');
  refused(t, await refresh(session.refresh_token), 401, 'refresh_invalid');
});

t.test(
  'a retry with the same Idempotency-Key gets the same successor at any later time',
  async (t) => {
    const { refresh_token } = await signIn();
    const key = { 'idempotency-key': 'attempt 1' };
    const first = (await refresh(refresh_token, key)).json();
    clock.advance(86_400_000);
    const retry = await refresh(refresh_token, key);
    t.equal(retry.statusCode, 200);
    t.equal(retry.json().refresh_token, first.refresh_token);
    t.equal(await whoami(retry.json().access_token), 200);
    t.notOk(JSON.stringify(await row()).includes('attempt 1'), 'the key itself is not kept');
  },
);

t.test(
  'a page reloaded during a refresh can use a new Idempotency-Key for 30 seconds',
  async (t) => {
    for (const key of ['attempt 1', undefined]) {
      const session = await signIn();
      const first = await refresh(session.refresh_token, key ? { 'idempotency-key': key } : {});
      const again = (attempt: string) =>
        refresh(session.refresh_token, { 'idempotency-key': attempt });
      for (const attempt of ['attempt 2', 'attempt 3']) {
        clock.advance(15_000);
        const answer = await again(attempt);
        t.equal(answer.statusCode, 200);
        t.equal(answer.json().refresh_token, first.json().refresh_token);
      }
      clock.advance(1);
      refused(t, await again('attempt 4'), 401, 'refresh_reused');
      await ended(t, session);
    }
  },
);

t.test(
  'three quick reloads, of which the first request arrives last, sign nobody out',
  async (t) => {
    const first = await signIn();
    const second = (await refresh(first.refresh_token)).json();
    const third = (await refresh(second.refresh_token)).json();
    clock.advance(30_000);
    const late = await refresh(first.refresh_token, { 'idempotency-key': 'the first' });
    t.equal(late.statusCode, 200);
    t.equal(
      late.json().refresh_token,
      third.refresh_token,
      'the newest token, and no new generation',
    );
    t.equal((await sessionOf(first.session_id))?.gen, 2);
    t.equal((await refresh(late.json().refresh_token)).statusCode, 200);
  },
);

t.test('a lagging standby or a restored backup signs nobody out', async (t) => {
  const session = await signIn();
  const backup = await row();
  const changed = await as(session.access_token, {
    method: 'PUT',
    url: '/v1/me/password',
    payload: { current_password: PASSWORD, new_password: 'a lantern in the rainy harbour' },
  });
  const second = (await refresh(changed.json().refresh_token)).json();
  const third = (await refresh(second.refresh_token)).json();
  await context.users.change(backup.id, ({ row_version }) => ({
    user: { ...backup, row_version },
    result: undefined,
  }));
  const me = await as(third.access_token, { url: '/v1/me' });
  t.equal(me.statusCode, 200, 'a token version above that of the row is not revoked');
  const answer = await refresh(third.refresh_token);
  t.equal(answer.statusCode, 200);
  t.equal(
    events().findLast((name) => !name.startsWith('mail.')),
    'session.row_behind',
  );
  t.match(await sessionOf(session.session_id), { gen: 3, ended_at: undefined });
  t.equal((await as(answer.json().access_token, { url: '/v1/me' })).statusCode, 200);
  refused(t, await refresh(session.refresh_token), 401, 'refresh_invalid');
  const metrics = await context.metrics.registry.getSingleMetricAsString(
    'latchkey_refreshes_total',
  );
  t.match(metrics, 'outcome="caught_up"} 1');
});

t.test('a retry without the key works for 30 seconds after a refresh with a key', async (t) => {
  const { refresh_token } = await signIn();
  const first = await refresh(refresh_token, { 'idempotency-key': 'attempt 1' });
  const retry = await refresh(refresh_token);
  t.equal(retry.json().refresh_token, first.json().refresh_token);
});

t.test('a key that is empty or too long gets 422, and no new generation', async (t) => {
  const { refresh_token, session_id } = await signIn();
  for (const key of ['', 'k'.repeat(256)]) {
    const problem = refused(
      t,
      await refresh(refresh_token, { 'idempotency-key': key }),
      422,
      'invalid_input',
    );
    t.match(problem.errors, [{ path: '/idempotency-key' }]);
  }
  t.equal((await sessionOf(session_id))?.gen, 0);
});

t.test(
  'REF-02 REF-04 a token replayed after its successor was used ends the session, with or without a key',
  async (t) => {
    for (const headers of [undefined, { 'idempotency-key': 'attempt 1' }]) {
      const first = await signIn();
      const second = (await refresh(first.refresh_token, headers)).json();
      const third = (await refresh(second.refresh_token)).json();
      clock.advance(30_001);
      refused(t, await refresh(first.refresh_token, headers), 401, 'refresh_reused');
      await ended(t, third);
      refused(t, await refresh(third.refresh_token), 401, 'refresh_invalid');
      t.equal((await sessionOf(first.session_id))?.gen, 2, 'the replay made no new generation');
    }
  },
);

t.test('many replays at once end the session once', async (t) => {
  const first = await signIn();
  const second = (await refresh(first.refresh_token)).json();
  await refresh(second.refresh_token);
  clock.advance(30_001);
  const seen = events().length;
  const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(first.refresh_token)));
  const codes = answers.map((answer) => answer.json().code);
  t.equal(codes.filter((code) => code === 'refresh_reused').length, 1);
  t.equal(codes.filter((code) => code === 'refresh_invalid').length, 9);
  const happened = events().slice(seen);
  t.same(
    happened.filter((event) => !event.startsWith('mail.')),
    ['session.reuse_detected'],
  );
});

t.test('a replay after a sign-out is refused and changes nothing', async (t) => {
  const { refresh_token } = await signIn();
  const successor = (await refresh(refresh_token)).json();
  t.equal((await post('/v1/logout', { refresh_token: successor.refresh_token })).statusCode, 204);
  const before = await row();
  for (const token of [refresh_token, successor.refresh_token]) {
    refused(t, await refresh(token), 401, 'refresh_invalid');
  }
  t.same(await row(), before);
});

t.test('refreshes in flight never undo a sign-out', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const session = await signIn();
    const { refresh_token } = session;
    const [, logout] = await Promise.all([
      refresh(refresh_token),
      post('/v1/logout', { refresh_token }),
      refresh(refresh_token),
    ]);
    t.equal(logout?.statusCode, 204);
    await ended(t, session);
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  }
});

t.test('REF-07 a token that is not a refresh token of this service is refused', async (t) => {
  const { refresh_token, access_token, device_token } = await signIn();
  const [header, claims, signature] = refresh_token.split('.');
  const before = await row();
  for (const token of [
    'x',
    access_token,
    device_token,
    `${header}.${claims}.`,
    `${header}.${claims}.${'A'.repeat(43)}`,
    `${refresh_token}=`,
    `${refresh_token} `,
    `${header}..${signature}`,
    'a'.repeat(4_096),
  ]) {
    refused(t, await refresh(token), 401, 'refresh_invalid');
  }
  refused(t, await refresh('a'.repeat(4_097)), 422, 'invalid_input');
  t.same(await row(), before);
});

t.test('a refresh without a token is refused', async (t) => {
  const answer = await post('/v1/refresh', {});
  t.match(refused(t, answer, 401, 'refresh_missing').detail, /no refresh token/);
  t.equal(answer.headers['www-authenticate'], 'Bearer realm="Latchkey"');
  refused(t, await inject({ method: 'POST', url: '/v1/refresh' }), 401, 'refresh_missing');
  const { access_token } = await signIn();
  const bearer = await as(access_token, { method: 'POST', url: '/v1/refresh' });
  refused(t, bearer, 401, 'refresh_missing');
});

t.test('with the cookie transport the successor is a cookie', async (t) => {
  const session = await signInByCookie();
  const answer = await refreshByCookie(session.refresh_token);
  t.equal(answer.statusCode, 200);
  t.notOk('refresh_token' in answer.json());
  const [cookie] = answer.cookies;
  t.match(cookie, { name: COOKIE, path: '/v1', httpOnly: true, secure: true, sameSite: 'Strict' });
  t.not(cookie?.value, session.refresh_token);
  t.equal((await refreshByCookie(cookie?.value as string)).statusCode, 200);
});

t.test(
  'COO-02 a token sent by the other transport is refused, and makes no new generation',
  async (t) => {
    const byCookie = await signInByCookie();
    refused(t, await refresh(byCookie.refresh_token), 401, 'refresh_invalid');
    t.equal((await sessionOf(byCookie.session_id))?.gen, 0);
    const byBody = await signIn();
    refused(t, await refreshByCookie(byBody.refresh_token), 401, 'refresh_invalid');
    t.equal((await sessionOf(byBody.session_id))?.gen, 0);
    t.equal((await refresh(byBody.refresh_token)).statusCode, 200);
    t.equal((await refreshByCookie(byCookie.refresh_token)).statusCode, 200);
  },
);

t.test('a refused cookie is cleared, and a refused body sets no cookie', async (t) => {
  const session = await signInByCookie();
  const second = (await refreshByCookie(session.refresh_token)).cookies[0]?.value as string;
  await refreshByCookie(second);
  clock.advance(30_001);
  for (const code of ['refresh_reused', 'refresh_invalid'] as const) {
    const answer = await refreshByCookie(session.refresh_token);
    refused(t, answer, 401, code);
    t.match(answer.cookies, [{ name: COOKIE, value: '', maxAge: 0, path: '/v1' }]);
  }
  t.equal((await refresh('x')).headers['set-cookie'], undefined);
});

t.test('REF-05 a session ends if it is not refreshed for two weeks', async (t) => {
  const { signUp, refresh, clock } = await testApp(t);
  let tokens = await signUp();
  clock.advance(14 * 86_400_000 - 1_000);
  tokens = (await refresh(tokens.refresh_token)).json();
  t.equal(tokens.refresh_expires_in, 14 * 86_400);
  clock.advance(14 * 86_400_000);
  refused(t, await refresh(tokens.refresh_token), 401, 'refresh_invalid');
});

t.test(
  'REF-05 a session ends thirty days after its sign-in, even if it is refreshed often',
  async (t) => {
    const { signUp, refresh, clock } = await testApp(t);
    let tokens = await signUp();
    for (let day = 1; day < 30; day += 1) {
      clock.advance(86_400_000);
      const answer = await refresh(tokens.refresh_token);
      t.equal(answer.statusCode, 200);
      tokens = answer.json();
    }
    t.equal(tokens.refresh_expires_in, 86_400);
    clock.advance(86_400_000);
    refused(t, await refresh(tokens.refresh_token), 401, 'refresh_invalid');
  },
);

t.test(
  'REF-08 roles are read again; a disabled user and an old token version are refused',
  async (t) => {
    const { refresh_token } = await signIn();
    const change = async (what: object) =>
      context.users.change((await row()).id, (user) => ({
        user: { ...user, ...what },
        result: undefined,
      }));
    await change({ roles: ['auditor'] });
    const promoted = (await refresh(refresh_token)).json();
    t.same((await as(promoted.access_token, { url: '/v1/whoami' })).json().roles, ['auditor']);
    await change({ status: 'disabled' });
    refused(t, await refresh(promoted.refresh_token), 401, 'refresh_invalid');
    await change({ status: 'active' });
    t.equal(
      (await refresh(promoted.refresh_token)).statusCode,
      200,
      'the failure used no token up',
    );
    const { refresh_token: other } = await signIn();
    await change({ token_version: (await row()).token_version + 1 });
    refused(t, await refresh(other), 401, 'refresh_invalid');
  },
);

t.test(
  'REF-15 without a database a refresh gets 503, never a 401 that signs somebody out',
  async (t) => {
    const { signUp, refresh, post, context } = await testApp(t);
    const { refresh_token } = await signUp();
    await context.close();
    for (const answer of [
      await refresh(refresh_token),
      await post('/v1/logout', { refresh_token }),
    ]) {
      refused(t, answer, 503, 'unavailable');
      t.equal(answer.headers['retry-after'], '1');
      t.equal(answer.headers['set-cookie'], undefined);
    }
  },
);

t.test(
  'REF-02 REF-03 a session that a replay ended stays ended, on another node and after a crash',
  async (t) => {
    const url = await sqliteFile(t).create();
    // The first node is not closed, so the second one finds only what it has committed.
    const database = async () => {
      const connection = opened(t, url);
      await migrate(connection);
      return connection;
    };
    const [one, two] = [
      await testApp(t, { database: await database() }),
      await testApp(t, { database: await database() }),
    ];
    const first = await one.signUp();
    const other = (await one.login()).json();
    const second = (await one.refresh(first.refresh_token)).json();
    const third = (await one.refresh(second.refresh_token)).json();
    one.clock.advance(30_001);
    refused(t, await one.refresh(first.refresh_token), 401, 'refresh_reused');
    for (const { refresh_token } of [first, second, third])
      refused(t, await two.refresh(refresh_token), 401, 'refresh_invalid');
    const restarted = await testApp(t, { database: await database() });
    refused(t, await restarted.refresh(third.refresh_token), 401, 'refresh_invalid');
    t.equal((await restarted.as(third.access_token, { url: '/v1/whoami' })).statusCode, 401);
    t.equal(
      (await two.refresh(other.refresh_token)).statusCode,
      200,
      'the other session continues',
    );
  },
);

t.test('REF-01 fifty refreshes on two nodes at once get one successor', async (t) => {
  const url = await sqliteFile(t).create();
  const [left, right] = [opened(t, url), opened(t, url)];
  await migrate(left);
  const nodes = [await testApp(t, { database: left }), await testApp(t, { database: right })];
  const [one] = nodes;
  const { refresh_token } = await (one as TestApp).signUp();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => (nodes[at % 2] as TestApp).refresh(refresh_token)),
  );
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200]);
  t.equal(new Set(answers.map((answer) => answer.json().refresh_token)).size, 1);
});

t.test('REF-15 a database that is locked for a while uses no token up', async (t) => {
  const url = await sqliteFile(t).create();
  const database = opened(t, url);
  await migrate(database);
  const node = await testApp(t, { database });
  const { refresh_token } = await node.signUp();
  const locking = new SQLite(url.slice('file:'.length));
  t.teardown(() => locking.close());
  locking.exec('begin immediate');
  const answer = await node.refresh(refresh_token);
  refused(t, answer, 503, 'unavailable');
  t.equal(answer.headers['retry-after'], '1');
  locking.exec('rollback');
  t.equal((await node.refresh(refresh_token)).statusCode, 200, 'the same token');
});

t.test('REF-06 a copy of the table contains no token', async (t) => {
  const url = await sqliteFile(t).create();
  const database = opened(t, url);
  await migrate(database);
  const node = await testApp(t, { database });
  const first = await node.signUp();
  const headers = { 'idempotency-key': 'attempt-of-the-client' };
  const second = (await node.refresh(first.refresh_token, headers)).json();
  const dump = JSON.stringify(await database.selectFrom('users').selectAll().execute());
  t.ok(dump.includes(second.session_id), 'the session is there');
  for (const tokens of [first, second]) {
    for (const token of [tokens.access_token, tokens.refresh_token, tokens.device_token])
      for (const part of [token, ...token.split('.')]) t.notOk(dump.includes(part));
  }
  t.notOk(dump.includes('attempt-of-the-client'));
  for (const value of dump.match(/[\w-]{16,}/g) ?? [])
    refused(t, await node.refresh(value), 401, 'refresh_invalid');
});

t.test(
  'REF-16 a replay is logged, and its owner gets a mail, which contains no token',
  async (t) => {
    const box = await mailbox(t);
    const node = await testApp(t, { env: { MAIL_URL: box.url } });
    const first = await node.signUp();
    const second = (await node.refresh(first.refresh_token)).json();
    await node.refresh(second.refresh_token);
    node.clock.advance(30_001);
    t.match((await box.next()).raw, /token=/, 'the mail of the sign-up');
    refused(t, await node.refresh(first.refresh_token), 401, 'refresh_reused');
    const { recipients, mail, raw } = await box.next();
    t.same(recipients, ['ada@example.com']);
    t.match(mail.text, /signed that device out/);
    t.notMatch(raw, /token=/);
    t.same(
      node.events().filter((event) => event === 'session.reuse_detected'),
      ['session.reuse_detected'],
    );
  },
);
