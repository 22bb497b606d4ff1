import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { sql } from 'kysely';
import t from 'tap';
import { eraseOldVersions } from '../../../src/parts/storage/database.ts';
import { SqliteThread } from '../../../src/parts/storage/sqlite-thread.ts';
import { serve } from '../../../src/parts/storage/sqlite-worker.ts';
import { nodeCommand } from '../../child.ts';
import { folder, opened, sqliteFile, sqliteInMemory } from '../../databases.ts';

const run = promisify(execFile);
const query = (text: string, ...parameters: unknown[]) =>
  ({ does: 'run', sql: text, parameters }) as const;

t.test('a thread answers with the rows and errors of SQLite', async (t) => {
  const thread = new SqliteThread({ path: join(folder(t), 'test.db'), patience: 1_000 });
  await thread.ask(query('create table words (word text unique)'));
  t.same(await thread.ask(query('insert into words values (?)', 'a')), {
    rows: [],
    insertId: 1n,
    numAffectedRows: 1n,
  });
  await t.rejects(thread.ask(query('insert into words values (?)', 'a')), {
    code: 'SQLITE_CONSTRAINT_UNIQUE',
    message: 'UNIQUE constraint failed: words.word',
  });
  t.same((await thread.ask(query('select * from words'))).rows, [{ word: 'a' }]);
  const one = thread.ask(query('select 1 as n'));
  const none = thread.ask(query('select ?', () => {}));
  const two = thread.ask(query('select 2 as n'));
  await t.rejects(none, { name: 'DataCloneError' }, 'a query that cannot be posted fails alone');
  t.match([await one, await two], [{ rows: [{ n: 1 }] }, { rows: [{ n: 2 }] }]);
  await t.rejects(thread.ask(query('select ?', true)), { name: 'Error', message: /bind/ });
  const last = thread.ask(query("insert into words values ('last')"));
  await thread.close();
  t.match(await last, { numAffectedRows: 1n }, 'queries sent before closing are answered');
  await thread.close();
  await new SqliteThread({ path: 'never opened', patience: 1 }).close();
});

t.test('a thread that dies fails waiting queries, and the next query starts another', async (t) => {
  const thread = new SqliteThread({ path: join(folder(t), 'test.db'), patience: 1_000 });
  t.teardown(() => thread.close());
  await thread.ask(query('create table words (word text)'));
  await thread.ask({ does: 'begin', transaction: 1 });
  const inside = query("insert into words values ('inside')");
  await thread.ask({ ...inside, does: 'step', transaction: 1 });
  const waiting = [thread.ask(query('select * from words')), thread.ask(query('select 1'))];
  // A message that it cannot read ends the thread.
  const fatal = thread.ask(null as never);
  for (const answer of [fatal, ...waiting]) await t.rejects(answer, { code: 'SQLITE_THREAD' });
  await t.rejects(thread.ask({ does: 'commit', transaction: 1 }), {
    message: /no longer exists/,
  });
  await thread.ask({ does: 'rollback', transaction: 1 });
  t.same(
    (await thread.ask(query('select * from words'))).rows,
    [],
    'the transaction was rolled back',
  );
});

t.test('an idle thread does not keep the process alive', async (t) => {
  const program = `
    import { SqliteThread } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/sqlite-thread.ts'))};
    const thread = new SqliteThread({ path: ${JSON.stringify(join(folder(t), 'test.db'))}, patience: 1000 });
    console.log((await thread.ask({ does: 'run', sql: 'select 1 as n', parameters: [] })).rows[0].n);
  `;
  const { stdout } = await run(
    ...nodeCommand(['--input-type=module-typescript', '--eval', program]),
    { timeout: 20_000 },
  );
  t.equal(stdout, '1\n');
});

t.test('messages at the port are answered until the queue is closed', async (t) => {
  const { port1, port2 } = new MessageChannel();
  serve({ path: join(folder(t), 'test.db'), patience: 1_000 }, port2);
  const heard: unknown[] = [];
  const closed = new Promise((resolve) => port1.on('close', resolve));
  port1.on('message', (answers) => heard.push(...answers));
  port1.postMessage([{ id: 1, request: query('select 1 as n') }]);
  port1.postMessage([{ id: 2, request: query('no sql') }]);
  port1.postMessage('close');
  await closed;
  t.match(heard, [
    { id: 1, answer: { rows: [{ n: 1 }] } },
    { id: 2, error: { code: 'SQLITE_ERROR', message: /syntax/ } },
  ]);
});

for (const engine of [sqliteInMemory, sqliteFile(t)]) {
  t.test(`on ${engine.name} transactions are atomic and isolated`, async (t) => {
    const db = opened(t, await engine.create());
    await sql`create table words (word text unique)`.execute(db);
    const count = async () =>
      (await sql<{ n: number }>`select count(*) as n from words`.execute(db)).rows[0]?.n;
    const pair = (word: string, other: string) =>
      db.transaction().execute(async (inside) => {
        await sql`insert into words values (${word})`.execute(inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await sql`insert into words values (${other})`.execute(inside);
      });
    const pairs = Array.from({ length: 10 }, (_, n) => pair(`a${n}`, n % 2 ? `b${n}` : `a${n}`));
    const [done, counts] = await Promise.all([
      Promise.allSettled(pairs),
      Promise.all(Array.from({ length: 20 }, count)),
    ]);
    for (const n of counts) t.equal(Number(n) % 2, 0);
    t.equal(done.filter(({ status }) => status === 'fulfilled').length, 5);
    t.equal(await count(), 10);
  });

  t.test(`on ${engine.name} a transaction that outlives the database does nothing`, async (t) => {
    const db = opened(t, await engine.create());
    await sql`create table words (word text)`.execute(db);
    const late = db.transaction().execute(async (inside) => {
      await db.destroy();
      await sql`insert into words values ('late')`.execute(inside);
    });
    await t.rejects(late, { message: 'the database is closed' });
    await eraseOldVersions(db);
  });

  t.test(`on ${engine.name} rows are not streamed`, async (t) => {
    const db = opened(t, await engine.create());
    const stream = db.selectFrom('users').selectAll().stream();
    await t.rejects(stream[Symbol.asyncIterator]().next(), { message: 'not supported' });
  });

  t.test(`on ${engine.name} the tables can be introspected`, async (t) => {
    const db = opened(t, await engine.create());
    await sql`create table words (word text)`.execute(db);
    t.match(await db.introspection.getTables(), [{ name: 'words', columns: [{ name: 'word' }] }]);
  });
}
