import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely';
import t, { type Test } from 'tap';
import { openDatabase } from '../src/parts/storage/database.ts';
import { migrate } from '../src/parts/storage/migrations.ts';
import { testApp } from './test-app.ts';

/** Writes down the kind of each query that the database answers. A query may be built once and run often. */
class Trace implements KyselyPlugin {
  readonly queries: (string | undefined)[] = [];
  readonly #kinds = new WeakMap<object, string>();
  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    this.#kinds.set(queryId, node.kind);
    return node;
  }
  async transformResult({ queryId, result }: PluginTransformResultArgs) {
    this.queries.push(this.#kinds.get(queryId));
    return result;
  }
}

async function traced(test: Test) {
  const trace = new Trace();
  const database = openDatabase({ url: 'file::memory:', pool: 1, plugins: [trace] });
  test.teardown(() => database.destroy());
  await migrate(database);
  const service = await testApp(test, { database });
  const { access_token, refresh_token } = await service.signUp();
  /** The queries that one request makes. */
  const cost = async (ask: () => Promise<{ statusCode: number }>, status: number) => {
    trace.queries.length = 0;
    const { statusCode } = await ask();
    test.equal(statusCode, status);
    return [...trace.queries];
  };
  return { ...service, access_token, refresh_token, cost };
}

t.test(
  'checking a token costs no query, whether it is new, known, bad, expired or revoked',
  async (t) => {
    const { as, cost, access_token, refresh_token, clock, context, post } = await traced(t);
    const whoami = (token: string) => () => as(token, { url: '/v1/whoami' });
    t.same(await cost(whoami(access_token), 200), []);
    t.same(await cost(whoami(access_token), 200), []);
    t.same(await cost(whoami(`${access_token}x`), 401), []);
    t.same(await cost(whoami(refresh_token), 401), []);
    await post('/v1/logout', { refresh_token });
    t.same(await cost(whoami(access_token), 401), []);
    clock.advance(900_000);
    t.same(await cost(whoami(access_token), 401), []);
    await context.revocationFeed.poll();
    t.same(await cost(whoami('x'), 401), []);
  },
);

t.test('what needs the row reads it once, and writes it once', async (t) => {
  const { as, cost, access_token, refresh_token, refresh, login } = await traced(t);
  t.same(await cost(() => as(access_token, { url: '/v1/me' }), 200), ['SelectQueryNode']);
  const rotation = ['SelectQueryNode', 'UpdateQueryNode'];
  t.same(await cost(() => refresh(refresh_token), 200), rotation);
  t.same(
    await cost(() => refresh(refresh_token), 200),
    ['SelectQueryNode'],
    'a retry writes nothing',
  );
  t.same(await cost(() => refresh('x'), 401), [], 'nor does a token that is none read anything');
  const guess = ['SelectQueryNode', 'UpdateQueryNode', 'UpdateQueryNode'];
  t.same(await cost(() => login(), 200), guess, 'a guess has its place before it is checked');
  t.same(await cost(() => login('ada@example.com', 'wrong'), 401), guess);
  await login('eve@example.com');
  t.same(await cost(() => login('eve@example.com'), 401), guess, 'nor is it told by its cost');
});

t.test('what is public and says nothing of users asks no database', async (t) => {
  const { inject, cost } = await traced(t);
  for (const url of [
    '/livez',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
  ]) {
    t.same(await cost(() => inject({ url }), 200), []);
  }
});

t.test('a poll for revocations is one query', async (t) => {
  const { context, clock, cost } = await traced(t);
  clock.advance(1_000);
  const poll = () => context.revocationFeed.poll().then(() => ({ statusCode: 0 }));
  t.same(await cost(poll, 0), ['SelectQueryNode']);
});
