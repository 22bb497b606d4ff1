import t from 'tap';
import { type Csv, csvRows } from '../../src/commands/csv-rows.ts';

const csv: Csv = { columns: ['a'] };

async function all(
  text: string | Buffer,
  { columns, step }: { columns?: Csv; step?: number } = {},
) {
  const bytes = Buffer.from(text);
  async function* chunks() {
    const length = step ?? Math.max(bytes.length, 1);
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }
  const found = [];
  for await (const { number, text, reason } of csvRows(chunks(), columns ?? csv))
    found.push(text === undefined ? `${number} ${reason}` : JSON.parse(text));
  return found;
}

const NOT_CSV = 'is not CSV with the columns of the header';

t.test('fields as in RFC 4180', async (t) => {
  const file =
    '\ufeffa,"b ""c"""\r\n\r\n"1, ""x""\r\ny",\u00e9 z \r\n   \r\n"",""\r\n,NULL\r\n"NULL",\\N\r\n""""," "';
  const rows = [
    { a: '1, "x"\r\ny', 'b "c"': '\u00e9 z ' },
    { a: '', 'b "c"': '' },
    { a: null, 'b "c"': null },
    { a: 'NULL', 'b "c"': null },
    { a: '"', 'b "c"': ' ' },
  ];
  t.same(await all(file), rows);
  t.same(await all(file, { step: 1 }), rows, 'in chunks of one byte');
  t.same(await all(`${file}\r\n`), rows, 'with an end of the last line');
  t.same(await all('a\n__proto__'), [{ a: '__proto__' }]);
});

t.test('what is not CSV is refused by its number, and the rest is read', async (t) => {
  for (const [row, reason] of Object.entries({
    '1': NOT_CSV,
    '1,2,3': NOT_CSV,
    '1,2,': NOT_CSV,
    '"1"2,3': NOT_CSV,
    'x"1",2': NOT_CSV,
    '"1" ,2': NOT_CSV,
    '1,\r2': NOT_CSV,
    [`1,${'x'.repeat(70_000)}`]: 'is longer than 64 KB',
  }))
    t.same(await all(`a,b\n${row}\n1,2\n`), [`1 ${reason}`, { a: '1', b: '2' }], row.slice(0, 9));
  t.same(await all('a,b\n1,2\n1,"2\n1,2\n'), [
    { a: '1', b: '2' },
    '2 has a quote that does not end',
  ]);
  for (const stray of ['x"1', '"1"2"', ' "1', '"1" "'])
    t.same(
      await all(`a,b\n${stray},2\n1,2\n"3\n",4`),
      [`1 ${NOT_CSV}`, { a: '1', b: '2' }, { a: '3\n', b: '4' }],
      `${stray}: the next records are read`,
    );
  t.same(await all('\ufeff"a\n",b\n1,2', { columns: { columns: ['b'] } }), [
    { 'a\n': '1', b: '2' },
  ]);
  t.same(await all(Buffer.from('a\n\u00e9\n1', 'latin1')), ['1 is not UTF-8', { a: '1' }]);
});

t.test('a header that lacks a column, or has one twice, is an error of the file', async (t) => {
  const message = 'the CSV file has no column a';
  for (const file of ['', '\n', 'b\n1', ' a\n1', '"a\n1', '"a"b\n1', 'a;b\n1;2'])
    await t.rejects(all(file), { message }, JSON.stringify(file));
  await t.rejects(all('a,b,b\n1,2,3'), { message: /two columns/ });
  const columns = { columns: ['A'], column: (name: string) => name.toUpperCase() };
  t.same(await all('a\n1', { columns }), [{ A: '1' }]);
});
