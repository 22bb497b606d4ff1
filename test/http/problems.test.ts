import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../src/app.ts';
import type { App } from '../../src/http/app-type.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { Refusal } from '../../src/rules/refusal.ts';
import { ProblemCode } from '../../src/schemas/problem.ts';
import { refused } from '../refused.ts';
import { keySet, TestClock, testApp } from '../test-app.ts';

const { context } = await testApp(t);
const lines: Record<string, unknown>[] = [];
const app: App = await buildApp(context, {
  logger: pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) }),
});
t.teardown(() => app.close());
let thrown: unknown;
app.get('/v1/throws', { config: { access: 'public' } }, async () => {
  throw thrown;
});

/** The answer of a route that throws this, and what it logs. */
async function throwing(what: unknown) {
  thrown = what;
  lines.length = 0;
  return app.inject({ url: '/v1/throws' });
}

t.test('ERR-02 a bug gets 500 without details; the log has them, under the same ID', async (t) => {
  const secret = 'at /srv/secret.ts:1 SELECT * FROM users';
  for (const thrown of [
    new Error(secret),
    Object.assign(new Error(secret), { statusCode: 418, code: 'FST_ERR_UNKNOWN' }),
    Object.assign(new Error(secret), { method: 'GET', statusCode: 200 }),
    new TypeError(secret),
  ]) {
    const answer = await throwing(thrown);
    const { instance } = refused(t, answer, 500, 'internal_error');
    t.notOk(answer.payload.includes('secret'));
    t.equal(answer.headers['www-authenticate'], undefined);
    const logged = lines.filter(({ level }) => level === 50);
    t.match(logged, [{ reqId: instance, msg: 'internal_error', err: { message: secret } }]);
  }
});

t.test('if all keys have expired, the answer is 500, not 401', async (t) => {
  const clock = new TestClock();
  const exp = clock.now / 1_000 + 60;
  const { signUp, login, logs } = await testApp(t, {
    clock,
    env: { SIGNING_KEYS: keySet({ ...newSigningKey('ES256', 0), exp }, newMasterSecret(0)) },
  });
  await signUp();
  clock.advance(60_000);
  refused(t, await login(), 500, 'internal_error');
  t.match(
    logs.find(({ level }) => level === 50),
    { err: { message: 'every key has expired' } },
  );
});

t.test('BEA-05 a missing role is 403 with the error of RFC 6750', async (t) => {
  const answer = await throwing(new Refusal('forbidden'));
  refused(t, answer, 403, 'forbidden');
  t.equal(
    answer.headers['www-authenticate'],
    'Bearer realm="Latchkey", error="insufficient_scope"',
  );
});

t.test('ERR-01 every refusal has one format, and only a 401 has a challenge', async (t) => {
  for (const code of ProblemCode.options) {
    const refusal = new Refusal(code, { retryAfter: 7, reason: 'CANARY' });
    const answer = await throwing(refusal);
    const problem = answer.json();
    t.match(problem, { type: `/problems/${code}`, code, status: answer.statusCode });
    t.same(Object.keys(problem), ['type', 'title', 'status', 'detail', 'code', 'instance']);
    t.equal(answer.headers['retry-after'], '7');
    t.equal(answer.headers['cache-control'], 'no-store');
    t.notOk(answer.payload.includes('CANARY'), 'the reason is for the log');
    t.equal(lines.at(-1)?.['reason'], 'CANARY');
    const challenged = answer.headers['www-authenticate'] !== undefined;
    t.equal(challenged, answer.statusCode === 401 || code === 'forbidden', code);
  }
});

t.test('the caller gets the public part of a refusal', async (t) => {
  const errors = [{ path: '/a', message: 'is odd' }];
  const answer = await throwing(new Refusal('invalid_input', { detail: 'Odd.', errors }));
  t.match(answer.json(), { detail: 'Odd.', errors });
});
