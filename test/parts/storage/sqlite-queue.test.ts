import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { SqliteQueue } from '../../../src/parts/storage/sqlite-queue.ts';
import { folder } from '../../databases.ts';

const LONG = 20_000;

async function queued(t: Test, { patience = LONG } = {}) {
  const path = join(folder(t), 'test.db');
  const queue = new SqliteQueue({ path, patience });
  t.teardown(() => queue.close());
  const run = (sql: string, ...parameters: unknown[]) =>
    queue.ask({ does: 'run', sql, parameters });
  const step = (transaction: number, sql: string) =>
    queue.ask({ does: 'step', transaction, sql, parameters: [] });
  const act = (does: 'begin' | 'commit' | 'rollback', transaction: number) =>
    queue.ask({ does, transaction });
  await run('create table words (word text unique)');
  const words = async () =>
    (await run('select word from words')).rows.map((row) => (row as { word: string }).word);
  /** A second connection: for SQLite, the same as another process. */
  const rival = new SQLite(path, { timeout: 0 });
  t.teardown(() => rival.close());
  return { path, queue, run, step, act, words, rival };
}

const insert = (word: string) => `insert into words values ('${word}')`;

/** Whether the promise is settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const first = await Promise.race([promise.catch(() => {}), sleep(0).then(() => pending)]);
  return first !== pending;
}

t.test('while another process holds the lock, reads are answered and writes wait', async (t) => {
  const { run, act, words, rival } = await queued(t);
  rival.exec('begin immediate');
  const writes = [run(insert('a')), act('begin', 1)];
  const start = performance.now();
  for (let round = 0; round < 50; round += 1) t.same(await words(), []);
  t.ok(performance.now() - start < 5_000);
  await sleep(200);
  for (const write of writes) t.equal(await isSettled(write), false);
  rival.exec('commit');
  await Promise.all(writes);
  await act('rollback', 1);
  t.same(await words(), ['a']);
});

t.test(
  'a write that waited too long is refused with SQLITE_BUSY, and not executed later',
  async (t) => {
    const { run, act, words, rival } = await queued(t, { patience: 100 });
    rival.exec('begin immediate');
    await Promise.all(
      [run(insert('a')), run(insert('b')), act('begin', 1)].map((write) =>
        t.rejects(write, { code: 'SQLITE_BUSY' }),
      ),
    );
    rival.exec('commit');
    await run(insert('c'));
    t.same(await words(), ['c']);
  },
);

t.test('queued writes share a commit, and each has its own answer', async (t) => {
  const { path, run, words } = await queued(t);
  /** Each commit writes at least one page. */
  const written = () => statSync(`${path}-wal`).size;
  const before = written();
  const answers = await Promise.allSettled(
    Array.from({ length: 300 }, (_, index) => run(insert(`w${index % 200}`))),
  );
  t.ok(written() - before < 100 * 4_120, 'far fewer commits than writes');
  t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 200);
  for (const answer of answers) {
    if (answer.status === 'rejected') t.match(answer.reason, { code: 'SQLITE_CONSTRAINT_UNIQUE' });
    else t.match(answer.value, { numAffectedRows: 1n });
  }
  t.equal((await words()).length, 200);
});

t.test('if a shared commit fails, all its writes are refused', async (t) => {
  const { run, words } = await queued(t);
  await run('create table strict_words (word text unique on conflict rollback)');
  const strict = "insert into strict_words values ('a')";
  await run(strict);
  const together = [run(insert('a')), run(strict), run(insert('b'))];
  await Promise.all(
    together.map((write) => t.rejects(write, { code: 'SQLITE_CONSTRAINT_UNIQUE' })),
  );
  t.same(await words(), []);
});

t.test('no other caller reads or writes inside an open transaction', async (t) => {
  const { queue, run, step, act, words } = await queued(t);
  await act('begin', 1);
  await step(1, insert('inside'));
  const others = [run(insert('outside')), words(), act('begin', 2), queue.ask({ does: 'erase' })];
  await step(1, insert('more'));
  await sleep(50);
  for (const other of others) t.equal(await isSettled(other), false);
  await t.rejects(step(1, 'no sql'), { code: 'SQLITE_ERROR' });
  await act('rollback', 1);
  await others[2];
  await step(2, insert('second'));
  await act('commit', 2);
  t.notMatch(JSON.stringify(await others[1]), /inside|more/, 'rolled back rows were never visible');
  t.same((await words()).sort(), ['outside', 'second']);
});

t.test('a step of a transaction that is not open is refused', async (t) => {
  const { step, act, words } = await queued(t);
  await t.rejects(step(7, insert('a')), { message: 'the transaction no longer exists' });
  await t.rejects(act('commit', 7), { message: 'the transaction no longer exists' });
  t.same(await act('rollback', 7), { rows: [] }, 'it is already rolled back');
  t.same(await words(), []);
});

t.test('invalid SQL and an unknown table fail only their own query', async (t) => {
  const { run, words } = await queued(t);
  const [bad, worse, good] = [run('no sql'), run('select * from nothing'), words()];
  await t.rejects(bad, { code: 'SQLITE_ERROR' });
  await t.rejects(worse, { message: /nothing/ });
  t.same(await good, []);
});

t.test('a read that meets a lock waits like a write', async (t) => {
  const { run, words } = await queued(t);
  const path = join(folder(t), 'other.db');
  const rival = new SQLite(path, { timeout: 0 });
  t.teardown(() => rival.close());
  rival.exec('create table other_words (word text)');
  await run(`attach database '${path}' as other`);
  // Without a WAL, a writer locks readers out.
  rival.exec('begin exclusive');
  const read = run('select * from other_words');
  t.same(await words(), [], 'other reads do not wait');
  await sleep(100);
  t.equal(await isSettled(read), false);
  rival.exec("insert into other_words values ('a'); commit");
  t.same((await read).rows, [{ word: 'a' }]);
});

t.test('if a database cannot be opened, the next query tries again', async (t) => {
  const path = join(folder(t), 'test.db');
  writeFileSync(path, 'no database, but long enough to be taken for one'.repeat(100));
  const queue = new SqliteQueue({ path, patience: LONG });
  t.teardown(() => queue.close());
  const ask = () => queue.ask({ does: 'run', sql: 'select 1 as n', parameters: [] });
  await t.rejects(ask(), { code: 'SQLITE_NOTADB' });
  rmSync(path);
  t.same((await ask()).rows, [{ n: 1 }]);
});

t.test('opening waits for a lock of another process', async (t) => {
  const path = join(folder(t), 'test.db');
  const rival = new SQLite(path, { timeout: 0 });
  t.teardown(() => rival.close());
  rival.exec('begin exclusive; create table words (word text)');
  const queue = new SqliteQueue({ path, patience: LONG });
  t.teardown(() => queue.close());
  const words = queue.ask({ does: 'run', sql: 'select * from words', parameters: [] });
  await sleep(100);
  t.equal(await isSettled(words), false);
  rival.exec('commit');
  t.same((await words).rows, []);
});

t.test('opening waits no longer than the time limit', async (t) => {
  const path = join(folder(t), 'test.db');
  const rival = new SQLite(path, { timeout: 0 });
  t.teardown(() => rival.close());
  rival.exec('begin exclusive; create table words (word text)');
  const queue = new SqliteQueue({ path, patience: 50 });
  t.teardown(() => queue.close());
  const words = queue.ask({ does: 'run', sql: 'select * from words', parameters: [] });
  await t.rejects(words, { code: 'SQLITE_BUSY' });
});

t.test('an erasure requested just before a transaction ends is answered', async (t) => {
  const { queue, act } = await queued(t);
  for (const end of ['commit', 'rollback'] as const) {
    await act('begin', 1);
    const answers = [queue.ask({ does: 'erase' }), act(end, 1), act('begin', 2)];
    for (const answer of answers) t.same(await answer, { rows: [] });
    await act('rollback', 2);
  }
});

t.test('an erasure that another reader prevents is done when that reader has ended', async (t) => {
  const { path, queue, run, rival } = await queued(t);
  const size = () => statSync(`${path}-wal`).size;
  await run(insert('CANARY'));
  rival.exec('begin; select * from words');
  await run(insert('more'));
  t.same(await queue.ask({ does: 'erase' }), { rows: [] }, 'callers do not wait for it');
  t.ok(size() > 0);
  await sleep(600);
  t.ok(size() > 0, 'not erased while it is read');
  rival.exec('commit');
  for (let waited = 0; waited < 10_000 && size() > 0; waited += 50) await sleep(50);
  t.equal(size(), 0);
});

t.test('closing runs what can run at once, and refuses the rest', async (t) => {
  const { path, queue, run, rival } = await queued(t);
  const last = run(insert('last'));
  queue.close();
  await last;
  t.same(rival.prepare('select word from words').all(), [{ word: 'last' }]);
  const again = new SqliteQueue({ path, patience: LONG });
  rival.exec('begin immediate');
  const waiting = again.ask({ does: 'run', sql: insert('late'), parameters: [] });
  await sleep(50);
  again.close();
  await t.rejects(waiting, { message: 'the database is closed' });
});
