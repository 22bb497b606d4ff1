import t from 'tap';
import type { Line } from '../../src/commands/import-lines.ts';
import { elementsOf } from '../../src/commands/json-elements.ts';

async function all(member: string | undefined, ...pieces: (string | Buffer)[]): Promise<Line[]> {
  async function* chunks() {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  const found: Line[] = [];
  for await (const line of elementsOf(chunks(), member)) found.push(line);
  return found;
}

const DOCUMENT = JSON.stringify({
  ['users '.repeat(20)]: [{ no: 1 }],
  text: 'users',
  quoted: '"users":[{"no":1}] \\',
  nested: { users: [{ no: 1 }], list: [[{ no: 1 }]] },
  users: [{ a: '}]"\\' }, 7, [{ no: 1 }], { b: [{ c: {} }] }],
  others: [{ no: 1 }],
});
const ELEMENTS = [
  { number: 1, text: '{"a":"}]\\"\\\\"}' },
  { number: 2, text: '{"b":[{"c":{}}]}' },
];

t.test('the objects of one array of a document are found, and no others', async (t) => {
  t.same(await all('users', DOCUMENT), ELEMENTS);
  t.same(await all('users', ...DOCUMENT), ELEMENTS, 'in chunks of one character');
  t.same(await all(undefined, '\ufeff [{"a":1},\n{"b":[]}] '), [
    { number: 1, text: '{"a":1}' },
    { number: 2, text: '{"b":[]}' },
  ]);
});

t.test('a document that is cut off or has no users is refused', async (t) => {
  const cut = { text: undefined, reason: 'is cut off: the document does not end' };
  t.same(await all('users', '{"users":[{"a":1},{"b"'), [
    { number: 1, text: '{"a":1}' },
    { number: 3, ...cut },
  ]);
  t.same(await all('users', '"'), [{ number: 1, ...cut }]);
  for (const empty of ['', '{}', '[]', '{"users":[]}', '{"users":{"users":{}}}'])
    t.same(
      await all('users', empty),
      [{ number: 1, text: undefined, reason: 'is not there' }],
      empty,
    );
});

t.test('an element that is too long or not UTF-8 is refused', async (t) => {
  const long = `{"a":"${'x'.repeat(70_000)}"}`;
  t.same(await all(undefined, `[${long.slice(0, 68_000)}`, `${long.slice(68_000)},{"b":1}]`), [
    { number: 1, text: undefined, reason: 'is longer than 64 KB' },
    { number: 2, text: '{"b":1}' },
  ]);
  const latin = Buffer.from('[{"a":"\u00e9"}]', 'latin1');
  t.same(await all(undefined, latin), [{ number: 1, text: undefined, reason: 'is not UTF-8' }]);
});
