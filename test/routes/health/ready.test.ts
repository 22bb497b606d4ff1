import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import t from 'tap';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { openDatabase } from '../../../src/parts/storage/database.ts';
import { PROBE } from '../../../src/parts/storage/decoy-rows.ts';
import { keySet, TestClock, testApp } from '../../test-app.ts';

const WELL = { status: 'ok', database: 'ok', keys: 'ok', revocations: 'ok' };

t.test('a healthy node is ready', async (t) => {
  const { inject } = await testApp(t);
  const answer = await inject({ url: '/readyz' });
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.json(), WELL);
  t.notOk(answer.headers['retry-after']);
});

t.test('a database that does not answer is reported, in words of this service only', async (t) => {
  const { inject, context } = await testApp(t);
  await context.close();
  const answer = await inject({ url: '/readyz' });
  t.equal(answer.statusCode, 503);
  t.equal(answer.headers['retry-after'], '1', 'the next probe may succeed');
  const database_fault = 'unavailable';
  t.strictSame(answer.json(), { ...WELL, status: 'failing', database: 'failing', database_fault });
});

t.test('many requests cause only one database write a second', async (t) => {
  const database = openDatabase({ url: 'file::memory:', pool: 1 });
  const { inject, clock } = await testApp(t, { database });
  t.teardown(() => database.destroy());
  const writes = async () => {
    const { row_version } = await database
      .selectFrom('users')
      .select('row_version')
      .where('id', '=', PROBE)
      .executeTakeFirstOrThrow();
    return row_version;
  };
  const before = await writes();
  for (let second = 1; second <= 3; second += 1) {
    await Promise.all(Array.from({ length: 50 }, () => inject({ url: '/readyz' })));
    t.equal((await writes()) - before, second);
    clock.advance(1_000);
  }
});

t.test(
  'a database that becomes read-only is reported at once, and so is its recovery; the log has the reason once',
  async (t) => {
    const database = openDatabase({ url: 'file::memory:', pool: 1 });
    const { inject, clock, logs } = await testApp(t, { database });
    t.teardown(() => database.destroy());
    for (const [pragma, status] of [
      ['on', 503],
      ['on', 503],
      ['off', 200],
    ] as const) {
      await sql`pragma query_only = ${sql.raw(pragma)}`.execute(database);
      const answer = await inject({ url: '/readyz' });
      t.equal(answer.statusCode, status);
      t.equal(answer.json().database_fault, status === 503 ? 'read_only' : undefined);
      t.notMatch(answer.body, /sqlite|attempt to write/i);
      clock.advance(1_000);
    }
    const said = logs.filter(({ msg }) => /^database: /.test(String(msg)));
    t.match(said, [
      {
        level: 50,
        msg: /^database: takes no writes\. Check its disk/,
        err: { message: /readonly/ },
      },
      { level: 30, msg: 'database: takes writes again' },
    ]);
    t.equal(said.length, 2);
  },
);

t.test('the list of revoked tokens is out of date after five seconds without a poll', async (t) => {
  const { inject, context, clock } = await testApp(t);
  clock.advance(4_999);
  t.strictSame((await inject({ url: '/readyz' })).json(), WELL);
  clock.advance(1);
  const answer = await inject({ url: '/readyz' });
  t.equal(answer.statusCode, 503);
  t.strictSame(answer.json(), { ...WELL, status: 'failing', revocations: 'failing' });
  await context.revocationFeed.poll();
  t.equal((await inject({ url: '/readyz' })).statusCode, 200);
});

t.test('a node whose last key has expired cannot sign', async (t) => {
  const clock = new TestClock();
  const exp = clock.now / 1_000 + 60;
  const { inject, context } = await testApp(t, {
    clock,
    env: { SIGNING_KEYS: keySet({ ...newSigningKey('ES256', 0), exp }, newMasterSecret(0)) },
  });
  clock.advance(60_000);
  await context.revocationFeed.poll();
  const answer = await inject({ url: '/readyz' });
  t.equal(answer.statusCode, 503);
  t.strictSame(answer.json(), { ...WELL, status: 'failing', keys: 'failing' });
});

t.test('a node that shuts down says so, and finishes requests in flight', async (t) => {
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let isHeld = false;
  const database = openDatabase({
    url: 'file::memory:',
    pool: 1,
    plugins: [
      {
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          if (isHeld) {
            asked.resolve();
            await held.promise;
          }
          return result;
        },
      },
    ],
  });
  const { app, context, inject } = await testApp(t, { database });
  t.teardown(() => database.destroy());
  isHeld = true;
  const inFlight = inject({ url: '/readyz' });
  await asked.promise;
  const closed = app.close();
  while (!context.shutdown.isClosing) await nextTurn();
  held.resolve();
  await closed;
  const answer = await inFlight;
  t.equal(answer.statusCode, 503);
  t.strictSame(answer.json(), { ...WELL, status: 'failing' });
});
