import t from 'tap';
import { PASSWORD, testApp } from '../test-app.ts';

const CANARY = 'CANARY-5f2b9c';

t.test('LOG-01 what a caller sends is never logged, wherever it is in the request', async (t) => {
  const { app, signUp, post, logs } = await testApp(t, { env: { LOG_LEVEL: 'trace' } });
  const tokens = await signUp(`${CANARY}@example.com`);
  const headers = {
    'user-agent': CANARY,
    'x-request-id': CANARY,
    'request-id': CANARY,
    traceparent: CANARY,
    referer: `https://example.com/${CANARY}`,
    cookie: `a=${CANARY}; __Secure-latchkey_refresh=${CANARY}`,
    'idempotency-key': CANARY,
    'x-forwarded-for': CANARY,
    forwarded: CANARY,
    origin: `https://${CANARY}.example.com`,
    [CANARY]: CANARY,
  };
  const bearer = { ...headers, authorization: `Bearer ${CANARY}` };
  const password = `${PASSWORD} ${CANARY}`;
  const before = logs.length;
  const answers = [
    await app.inject({ url: `/v1/me?token=${CANARY}`, headers: bearer }),
    await app.inject({ url: `/${CANARY}?${CANARY}`, headers }),
    await app.inject({ url: `/%zz${CANARY}`, headers }),
    await app.inject({ url: `/problems/${CANARY.repeat(20)}`, headers }),
    await app.inject({ url: `/problems/${CANARY}`, headers }),
    await app.inject({ method: 'DELETE', url: `/v1/me/sessions/${CANARY}`, headers: bearer }),
    await app.inject({ method: 'PURGE' as 'GET', url: `/${CANARY}`, headers }),
    await post('/v1/register', { email: `${CANARY}@example.com`, password, name: CANARY }),
    await post('/v1/register', { email: CANARY, password: CANARY, [CANARY]: CANARY }),
    await post('/v1/login', { email: `${CANARY}@example.com`, password }, headers),
    await post('/v1/login', { email: `${CANARY}-2@example.com`, password }, headers),
    await post('/v1/refresh', { refresh_token: CANARY }),
    await post('/v1/refresh', undefined, headers),
    await post('/v1/logout', { refresh_token: CANARY }, { authorization: `Basic ${CANARY}` }),
    await app.inject({
      method: 'POST',
      url: '/v1/login',
      headers: { 'content-type': `application/json; ${CANARY}` },
      payload: `{"${CANARY}`,
    }),
    await app.inject({
      method: 'POST',
      url: '/v1/login',
      headers: { 'content-type': 'application/json' },
      payload: `{"${CANARY}":1,"${CANARY}":2}`,
    }),
  ];
  const written = JSON.stringify(logs);
  t.notOk(written.includes(CANARY));
  t.notOk(written.includes(PASSWORD));
  for (const token of [tokens.access_token, tokens.refresh_token, tokens.device_token])
    t.notOk(written.includes(token.split('.')[2] as string));
  t.ok(answers.every(({ statusCode }) => statusCode < 500));
  const requests = logs.slice(before).filter(({ msg }) => msg === 'request');
  t.equal(requests.length, answers.length, 'one line per request, even if no route matches');
});

t.test('LOG-02 a log line says who, what, and the outcome', async (t) => {
  const { signUp, as, inject, logs } = await testApp(t);
  const { access_token } = await signUp();
  await as(access_token, { method: 'DELETE', url: '/v1/me/sessions/x' });
  const { reqId, time, pid, hostname, ms, ...line } = logs.at(-1) ?? {};
  t.strictSame(line, {
    level: 30,
    method: 'DELETE',
    route: '/v1/me/sessions/:id',
    status: 404,
    ip: '127.0.0.1',
    code: 'not_found',
    msg: 'request',
  });
  t.ok(Number(ms) >= 0);
  await inject({ url: '/v1/me?token=x' });
  t.match(logs.at(-1), { route: '/v1/me', status: 401, code: 'token_missing' });
  await inject({ url: '/livez' });
  t.notOk('code' in (logs.at(-1) ?? {}));
});

t.test('LOG-02 a request ID is generated here, returned to the caller, and unique', async (t) => {
  const { inject, logs } = await testApp(t);
  const headers = { 'x-request-id': 'mine', 'request-id': 'mine' };
  const ids: string[] = [];
  for (const url of ['/nope', '/%zz', '/v1/me', '/nope']) {
    const { instance } = (await inject({ url, headers })).json();
    t.match(instance, /^[\w-]{8}-[0-9a-z]+$/);
    t.equal(logs.at(-1)?.['reqId'], instance);
    ids.push(instance);
  }
  t.equal(new Set(ids).size, 4);
  const other = await testApp(t);
  const { instance } = (await other.inject({ url: '/nope' })).json();
  t.not(instance.slice(0, 8), ids[0]?.slice(0, 8), 'and another node generates different ones');
});

t.test('LOG-03 no input can inject a log line or hide part of one', async (t) => {
  const { app, signUp, login, logs } = await testApp(t);
  await signUp();
  const nasty = '%0d%0a{"level":30,"event":"account.deleted"}%1b[2J%e2%80%a8%e2%80%ae';
  const before = logs.length;
  await app.inject({ url: `/problems/${nasty}?${nasty}` });
  await app.inject({ url: `/${nasty}`, headers: { 'user-agent': nasty } });
  await login('ada@example.com\r\n{"event":"account.deleted"}');
  await login('ada@example.com', '\r\n{"event":"account.deleted"}\u001b[2J\u2028\u202e');
  const lines = logs.slice(before);
  t.same(
    lines.flatMap(({ event, msg }) => (event === 'mail.sent' ? [] : [event ?? msg])),
    ['request', 'request', 'request', 'sign_in.refused', 'request'],
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not appear
  t.notMatch(JSON.stringify(lines), /\\r|\\n|[\u0000-\u001f\u2028\u202e]|account\.deleted/);
});

t.test('each act has one log line, with IDs and no personal data', async (t) => {
  const { signUp, login, refresh, post, as, logs, context, clock } = await testApp(t);
  const { access_token, session_id } = await signUp();
  const user = (await context.users.findByEmail('ada@example.com'))?.id;
  const next = 'a lantern in the rainy harbour';
  await login('ada@example.com', 'wrong');
  const { refresh_token, ...second } = (await login()).json();
  const successor = (await refresh(refresh_token)).json();
  await refresh(successor.refresh_token);
  clock.advance(30_001);
  await refresh(refresh_token);
  const third = (await login()).json();
  await post('/v1/logout', { refresh_token: third.refresh_token });
  const payload = { current_password: PASSWORD, new_password: next };
  const pair = await as(access_token, { method: 'PUT', url: '/v1/me/password', payload });
  const fresh = pair.json().access_token;
  await as(fresh, { method: 'DELETE', url: '/v1/me/sessions' });
  const last = (await login('ada@example.com', next)).json();
  const body = { password: next };
  await as(last.access_token, { method: 'DELETE', url: '/v1/me', payload: body });
  const events = logs
    .filter(({ event }) => event !== undefined && event !== 'mail.sent')
    .map(({ event, user, session }) => ({ event, user, session }));
  t.strictSame(events, [
    { event: 'account.created', user, session: session_id },
    { event: 'sign_in.refused', user, session: undefined },
    { event: 'sign_in.ok', user, session: second.session_id },
    { event: 'session.reuse_detected', user, session: second.session_id },
    { event: 'sign_in.ok', user, session: third.session_id },
    { event: 'session.ended', user, session: third.session_id },
    { event: 'password.changed', user, session: session_id },
    { event: 'session.all_ended', user, session: undefined },
    { event: 'sign_in.ok', user, session: last.session_id },
    { event: 'account.deleted', user, session: undefined },
  ]);
});
