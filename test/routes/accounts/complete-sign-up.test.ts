import t from 'tap';
import { mailbox } from '../../mailbox.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const box = await mailbox(t);
const { post, inject, as, context, events, clock, login } = await testApp(t, {
  env: { SIGN_UP: 'verified', MAIL_URL: box.url },
});
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const complete = (token: string, others: object = {}) =>
  post('/v1/register/complete', { token, password: PASSWORD, ...others });
async function linkFor(email: string) {
  await post('/v1/register', { email });
  return box.token(email);
}

t.test('the link makes an account with a verified address, and signs its owner in', async (t) => {
  const token = await linkFor('Ada@Example.com');
  const answer = await complete(token, { name: 'Ada Lovelace' });
  t.equal(answer.statusCode, 201);
  t.equal(answer.headers['cache-control'], 'no-store');
  const me = (await as(answer.json().access_token, { url: '/v1/me' })).json();
  t.match(me, {
    email: 'Ada@Example.com',
    name: 'Ada Lovelace',
    email_verified: true,
    roles: [],
  });
  t.equal(me.last_login_at, new Date(clock.now).toISOString());
  t.same(happened(), ['account.created']);
  t.equal((await login('ada@example.com')).statusCode, 200);
  const row = JSON.stringify(await context.users.findByEmail('ada@example.com'));
  t.notOk(row.includes(token));
});

t.test('a link works once, and a second use changes nothing in the account', async (t) => {
  const token = await linkFor('once@example.com');
  t.equal((await complete(token)).statusCode, 201);
  const before = await context.users.findByEmail('once@example.com');
  const again = await complete(token, { password: 'another password that is long' });
  refused(t, again, 400, 'link_invalid');
  t.same(await context.users.findByEmail('once@example.com'), before);
});

t.test('EML-03 twenty uses at once make one account', async (t) => {
  const token = await linkFor('race@example.com');
  const count = happened().length;
  const answers = await Promise.all(Array.from({ length: 20 }, () => complete(token)));
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, 1);
  for (const answer of answers.filter(({ statusCode }) => statusCode !== 201))
    refused(t, answer, 400, 'link_invalid');
  t.equal((await context.users.findByEmail('race@example.com'))?.sessions.length, 1);
  t.same(happened().slice(count), ['account.created']);
});

t.test('of two links for one address, only the first one used works', async (t) => {
  const email = 'two@example.com';
  const [one, two] = [await linkFor(email), await linkFor('TWO@example.com')];
  t.equal((await complete(two)).statusCode, 201);
  refused(t, await complete(one), 400, 'link_invalid');
});

t.test('a link works for 24 hours and not a second longer', async (t) => {
  const [inTime, late] = [await linkFor('intime@example.com'), await linkFor('late@example.com')];
  clock.advance(86_400_000 - 1_000);
  t.equal((await complete(inTime)).statusCode, 201);
  clock.advance(1_000);
  refused(t, await complete(late), 400, 'link_invalid');
  t.equal(await context.users.findByEmail('late@example.com'), undefined);
});

t.test('a refused password does not use the link up', async (t) => {
  const token = await linkFor('retry@example.com');
  const { errors } = refused(t, await complete(token, { password: 'short' }), 422, 'invalid_input');
  t.match(errors, [{ path: '/password' }]);
  refused(t, await complete(token, { roles: ['admin'] }), 422, 'invalid_input');
  refused(t, await complete(token, { email: 'eve@example.com' }), 422, 'invalid_input');
  t.equal(await context.users.findByEmail('retry@example.com'), undefined);
  t.equal((await complete(token)).statusCode, 201);
});

t.test('EML-08 opening the link does not use it up: only the POST does', async (t) => {
  const token = await linkFor('scanned@example.com');
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await inject({ method, url: `/v1/register/complete?token=${token}` });
    t.equal(answer.statusCode, 405);
  }
  t.equal(await context.users.findByEmail('scanned@example.com'), undefined);
  t.equal((await complete(token)).statusCode, 201);
});

t.test('an invalid link and a used one get the same answer', async (t) => {
  const ours = {
    sub: 'forged@example.com',
    jti: 'x',
    iat: Math.floor(clock.now / 1_000),
    exp: Math.floor(clock.now / 1_000) + 60,
  };
  const spent = await linkFor('spent@example.com');
  await complete(spent);
  const bodies = new Set<string>();
  for (const token of [
    spent,
    'x',
    `${spent.slice(0, -3)}abc`,
    context.ownTokens.issue('device', ours),
    context.ownTokens.issue('reset', { ...ours, was: 'x' }),
    context.ownTokens.issue('email', { ...ours, email: ours.sub, was: 'x', sid: '' }),
  ]) {
    const problem = refused(t, await complete(token), 400, 'link_invalid');
    bodies.add(JSON.stringify({ ...problem, instance: '' }));
  }
  t.equal(bodies.size, 1);
  t.equal(await context.users.findByEmail('forged@example.com'), undefined);
});

t.test('with the cookie transport, the body has no refresh or device token', async (t) => {
  const answer = await complete(await linkFor('cookie@example.com'), { transport: 'cookie' });
  t.equal(answer.statusCode, 201);
  t.equal(answer.cookies.length, 2);
  t.notOk('refresh_token' in answer.json());
});

t.test('a fault of the service is not reported as an invalid link', async (t) => {
  const token = await linkFor('fault@example.com');
  const busy = await testApp(t, {
    env: { SIGN_UP: 'verified', MAIL_URL: box.url, HASH_CONCURRENCY: '1', HASH_QUEUE: '0' },
    pace: 'real',
    clock,
  });
  const answers = await Promise.all(
    Array.from({ length: 3 }, () =>
      busy.post('/v1/register/complete', { token, password: PASSWORD }),
    ),
  );
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  t.equal(statuses[0], 201);
  // A request that comes after the first has finished finds the link used.
  for (const status of statuses.slice(1)) t.ok(status === 503 || status === 400, String(status));
});
