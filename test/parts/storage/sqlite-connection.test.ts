import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isBusy, SqliteConnection } from '../../../src/parts/storage/sqlite-connection.ts';
import { folder } from '../../databases.ts';

const query = (sql: string, ...parameters: unknown[]) => ({ sql, parameters });

function opened(t: Test, path = join(folder(t), 'test.db')) {
  const connection = new SqliteConnection(path);
  t.teardown(() => connection.close());
  return { connection, path };
}

function withTable(t: Test) {
  const { connection, path } = opened(t);
  connection.run(query('create table words (id integer primary key, word text unique)'));
  const words = () => connection.run(query('select word from words order by id')).rows;
  return { connection, path, words };
}

const add = (word: string) => query('insert into words (word) values (?)', word);

t.test(
  'an answer has rows, or the number of rows and the last ID, as Kysely expects',
  async (t) => {
    const { connection } = withTable(t);
    t.same(connection.run(add('a')), { rows: [], insertId: 1n, numAffectedRows: 1n });
    t.same(connection.run(query('update words set word = ? where id > 1', 'b')), {
      rows: [],
      insertId: 1n,
      numAffectedRows: 0n,
    });
    t.same(connection.run(query("insert into words (word) values ('c') returning id, word")), {
      rows: [{ id: 2, word: 'c' }],
    });
    t.same(connection.run(query('select 9007199254740991 as large, null as empty')), {
      rows: [{ large: 9_007_199_254_740_991, empty: null }],
    });
  },
);

t.test('only a query that takes no write lock is a read', async (t) => {
  const { connection } = withTable(t);
  t.equal(connection.isRead(query('select * from words')), true);
  t.equal(connection.isRead(add('a')), false);
  t.equal(connection.isRead(query('insert into words (word) values (1) returning id')), false);
});

t.test('a query that fails does not affect others in the same commit', async (t) => {
  const { connection, words } = withTable(t);
  const outcomes = connection.runTogether([add('a'), add('a'), query('no sql'), add('b')]);
  t.match(outcomes, [
    { answer: { numAffectedRows: 1n } },
    { error: { code: 'SQLITE_CONSTRAINT_UNIQUE' } },
    { error: { code: 'SQLITE_ERROR' } },
    { answer: { insertId: 2n } },
  ]);
  t.same(words(), [{ word: 'a' }, { word: 'b' }]);
  connection.runTogether([
    add('c'),
    query("insert into words (word) values ('d'), ('e'), ('a')"),
    query("update words set word = 'f'"),
  ]);
  t.same(words(), [{ word: 'a' }, { word: 'b' }, { word: 'c' }], 'nor leaves half of itself');
});

t.test('if the commit fails nothing is written, and the next query works', async (t) => {
  const { connection, words } = withTable(t);
  connection.run(query('create table strict_words (word text unique on conflict rollback)'));
  const strict = query("insert into strict_words values ('a')");
  connection.run(strict);
  t.throws(() => connection.runTogether([add('a'), strict, add('b')]), {
    code: 'SQLITE_CONSTRAINT_UNIQUE',
  });
  t.same(words(), []);
  connection.runTogether([add('c')]);
  t.same(words(), [{ word: 'c' }]);
});

t.test(
  'a lock of another connection is refused at once, and no transaction stays open',
  async (t) => {
    const { connection, path, words } = withTable(t);
    const rival = opened(t, path).connection;
    rival.begin();
    for (const attempt of [
      () => connection.begin(),
      () => connection.run(add('a')),
      () => connection.runTogether([add('a'), add('b')]),
    ]) {
      const from = performance.now();
      t.throws(attempt, { code: 'SQLITE_BUSY' });
      t.ok(performance.now() - from < 1_000);
    }
    t.same(words(), [], 'reads still work');
    rival.rollback();
    connection.runTogether([add('a'), add('b')]);
    t.equal(words().length, 2);
  },
);

t.test('isBusy looks only at the code', async (t) => {
  t.equal(isBusy({ code: 'SQLITE_BUSY_RECOVERY' }), true);
  t.equal(isBusy({ code: 'SQLITE_FULL' }), false);
  t.equal(isBusy(new Error('SQLITE_BUSY')), false);
});

t.test('a file that is not a database is refused when it is opened', async (t) => {
  t.throws(() => opened(t, folder(t)), { code: 'SQLITE_CANTOPEN' });
  t.throws(() => opened(t, import.meta.filename), { code: 'SQLITE_NOTADB' });
});

t.test('a prepared statement follows changes of the table', async (t) => {
  const { connection, path } = withTable(t);
  const all = query('select * from words');
  connection.run(add('a'));
  t.same(connection.run(all).rows, [{ id: 1, word: 'a' }]);
  opened(t, path).connection.run(query("alter table words add column tongue text default 'en'"));
  t.same(connection.run(all).rows, [{ id: 1, word: 'a', tongue: 'en' }]);
});

t.test('statements stay correct when the cache drops some', async (t) => {
  const { connection } = withTable(t);
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 150; index += 1)
      t.same(connection.run(query(`select ${index} as n`)).rows, [{ n: index }]);
  }
  const long = `select 1 as n -- ${'x'.repeat(5_000)}`;
  t.same(connection.run(query(long)).rows, [{ n: 1 }]);
});

t.test('erasing fails during a transaction, or while another connection reads', async (t) => {
  const { connection, path } = withTable(t);
  connection.begin();
  t.equal(connection.erase(), false);
  connection.rollback();
  const reader = opened(t, path).connection;
  reader.run(query('begin'));
  reader.run(query('select * from words'));
  connection.run(add('a'));
  t.equal(connection.erase(), false);
  reader.rollback();
  t.equal(connection.erase(), true);
});

t.test('closing rolls an open transaction back', async (t) => {
  const { connection, path } = withTable(t);
  connection.begin();
  connection.run(add('a'));
  connection.close();
  t.same(opened(t, path).connection.run(query('select * from words')).rows, []);
});
