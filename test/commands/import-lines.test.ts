import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Line, linesOf } from '../../src/commands/import-lines.ts';
import { folder } from '../databases.ts';
import { testApp } from '../test-app.ts';
import { commandLine } from './command-line.ts';

async function* chunks(...pieces: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function all(...pieces: (string | Buffer)[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(chunks(...pieces))) lines.push(line);
  return lines;
}

t.test('a byte order mark, CRLF and blank lines are no part of a line', async (t) => {
  t.same(await all('\ufeff{"a"', ':1}\r', '\n\r\n  \n{"b":2}\n', '\ufeff{"c":3}'), [
    { number: 1, text: '{"a":1}' },
    { number: 4, text: '{"b":2}' },
    { number: 5, text: '{"c":3}' },
  ]);
  t.same(await all(), []);
  t.same(await all('\ufeff\r\n'), []);
});

t.test('a character may be cut by the end of a chunk', async (t) => {
  const bytes = Buffer.from('"é"\n');
  t.same(await all(bytes.subarray(0, 2), bytes.subarray(2)), [{ number: 1, text: '"é"' }]);
});

t.test('text in another encoding is refused', async (t) => {
  const reason = 'is not UTF-8';
  t.same(await all(Buffer.from('\ufeff{}\n', 'utf16le'), Buffer.from([0x22, 0xe9, 0x22, 0x0a])), [
    { number: 1, text: undefined, reason },
    { number: 2, text: undefined, reason },
  ]);
});

t.test('a line of more than 64 KB is refused by its number, and not kept', async (t) => {
  const fits = 'x'.repeat(65_536);
  const reason = 'is longer than 64 KB';
  t.same(await all(`${fits}\n`, `${fits}x\n`, 'y'), [
    { number: 1, text: fits },
    { number: 2, text: undefined, reason },
    { number: 3, text: 'y' },
  ]);
  const piece = Buffer.alloc(65_536, 'x');
  let most = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < 8_192; sent += 1) {
      if (sent % 1_024 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers);
      yield Buffer.from(piece);
    }
    yield Buffer.from('\n"last"');
  }
  const lines: Line[] = [];
  for await (const line of linesOf(endless())) lines.push(line);
  t.same(lines, [
    { number: 1, text: undefined, reason },
    { number: 2, text: '"last"' },
  ]);
  t.ok(most < 256 * 1_024 * 1_024, `512 MB were read, ${most} bytes were held`);
});

t.test('a line of an export with secrets may be longer', async (t) => {
  const row = `{"row":${' '.repeat(100_000)}1}`;
  t.same(await all('{"r', `${row.slice(3)}\n`), [{ number: 1, text: row }]);
  t.same(await all(`${row}\n`), [{ number: 1, text: row }]);
  const [{ text } = { text: '' }] = await all(`{"row":${' '.repeat(5_000_000)}1}`);
  t.equal(text, undefined);
});

t.test('the import', async (t) => {
  const { context } = await testApp(t);
  const command = commandLine(context);
  const count = async () => (await context.users.list({ kind: 'person', limit: 100 })).length;
  const write = (content: string) => {
    const file = join(folder(t), 'users.jsonl');
    writeFileSync(file, content);
    return file;
  };
  const user = (name: string) => JSON.stringify({ email: `${name}@example.com` });

  t.test('takes a file as Windows writes it', async (t) => {
    const file = write(`\ufeff${user('ada')}\r\n\r\n${user('bob')}\r\n`);
    const { code, out, err } = await command(['import', file]);
    t.equal(out, '2 added, 0 already present, 0 refused\n');
    t.equal(err, '');
    t.equal(code, 0);
  });

  t.test('reports a long line, adds the others, and exits with 65', async (t) => {
    const file = write(`${user('x'.repeat(70_000))}\n${user('carl')}\n`);
    const { code, out, err } = await command(['import', file]);
    t.equal(err, 'line 1: is longer than 64 KB\n');
    t.equal(out, '1 added, 0 already present, 1 refused\n');
    t.equal(code, 65);
  });

  t.test('says what it would do, and writes nothing', async (t) => {
    const before = await count();
    const lines = ['ada', 'dora', 'emil', 'DORA'].map(user);
    const file = write([...lines, 'not json'].join('\n'));
    const { code, out, err } = await command(['import', '--dry-run', file]);
    t.equal(out, '2 would be added, 2 already present, 1 refused\n');
    t.equal(err, 'line 5: is not JSON\n');
    t.equal(code, 65);
    t.equal(await count(), before);
    t.match(await command(['import', file]), { out: '2 added, 2 already present, 1 refused\n' });
    t.equal(await count(), before + 2);
  });
});
