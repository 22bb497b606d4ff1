import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildFilter } from '../../src/commands/breached/build-filter.ts';
import { Parts } from '../../src/commands/breached/parts.ts';
import { BreachedPasswords } from '../../src/parts/passwords/breached-passwords.ts';
import { nodeCommand, withFileLimit } from '../child.ts';
import { folder } from '../databases.ts';
import { nextDescriptor } from '../descriptors.ts';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();
const path = folder(t);
let count = 0;

/** Builds a filter of this text. */
async function built(text: string) {
  count += 1;
  const [from, to] = [`list${count}`, `filter${count}`].map((name) => join(path, name)) as [
    string,
    string,
  ];
  writeFileSync(from, text);
  const shown: number[] = [];
  const progress = (done: number, total: number) => shown.push(done / total);
  return { to, shown, hashes: await buildFilter({ from, to, progress }) };
}

async function opened(t: Test, file: string) {
  const breached = await BreachedPasswords.open(file);
  t.teardown(() => breached.close());
  return breached;
}

const SIZE = 100_000;
const passwords = Array.from({ length: SIZE }, (_, index) => `breached password ${index}`);

t.test(
  'of 100,000 hashes each that is asked for is found, and of others next to none',
  async (t) => {
    const lines = passwords.map((password, index) => `${sha1(password)}:${index}`);
    const unsorted = await built(lines.join('\n'));
    const sorted = await built(`${lines.sort().join('\r\n')}\r\n`);
    t.equal(unsorted.hashes, SIZE);
    t.same(readFileSync(sorted.to), readFileSync(unsorted.to), 'the order makes no difference');
    t.ok(statSync(sorted.to).size < 4.01 * SIZE, '4 bytes for each hash');
    t.equal(sorted.shown.at(-1), 1);
    t.ok(sorted.shown.every((share, index) => share >= (sorted.shown[index - 1] ?? 0)));

    const breached = await opened(t, sorted.to);
    const countOf = async (asked: string[]) => {
      let found = 0;
      for (let at = 0; at < asked.length; at += 500) {
        const answers = asked.slice(at, at + 500).map((password) => breached.has(password));
        found += (await Promise.all(answers)).filter(Boolean).length;
      }
      return found;
    };
    const every5th = passwords.filter((_, index) => index % 5 === 0);
    t.equal(await countOf(every5th), SIZE / 5, 'no false negative');
    const wrong = await countOf(every5th.map((password) => `no ${password}`));
    t.ok(wrong <= 1, `${wrong} false positives; 0.02 are expected`);
  },
);

t.test('a small list is a filter too; case, blank lines and doubles do not matter', async (t) => {
  const { to, hashes } = await built(
    `${sha1('one')}\n\n${sha1('one').toLowerCase()}:5\r\n${sha1('a\u00a0b')}`,
  );
  t.equal(hashes, 2);
  const breached = await opened(t, to);
  for (const [password, isFound] of [
    ['one', true],
    ['a\u00a0b', true],
    ['a b', false],
    ['two', false],
  ] as const)
    t.equal(await breached.has(password), isFound, password);
});

t.test('what is no list of hashes is refused, and leaves no file', async (t) => {
  const hash = sha1('x');
  for (const [text, message] of [
    ['', /has no hashes/],
    ['\n\r\n', /has no hashes/],
    [`${hash}\npassword`, 'Line 2 is not a SHA-1 hash in hexadecimal'],
    [hash.slice(1), /^Line 1 /],
    [`${hash}0`, /^Line 1 /],
    [`${hash.slice(1)}g`, /^Line 1 /],
    ['x'.repeat(3_000_000), /^Line 1 /],
  ] as const) {
    const before = readdirSync(path).length;
    await t.rejects(built(text), { message, exitCode: 65 });
    t.equal(readdirSync(path).length, before + 1, 'only the list itself');
  }
  const { to } = await built(hash);
  const again = buildFilter({ from: to, to, progress: () => {} });
  await t.rejects(again, { message: /exists already/, exitCode: 73 });
});

/** Runs the real command. `fileSize`: bytes that a file may have. */
async function command(words: string[], env: Record<string, string> = {}, fileSize?: number) {
  const line = nodeCommand(['src/commands/latchkey.ts', ...words], fileSize === undefined);
  const [file, args] = fileSize === undefined ? line : withFileLimit(fileSize, line);
  const all = { ...process.env, npm_command: '', ...env };
  const child = execFile(file, args, { env: all });
  const written = { out: '', err: '' };
  child.stdout?.on('data', (text) => {
    written.out += text;
  });
  child.stderr?.on('data', (text) => {
    written.err += text;
  });
  const [code] = await once(child, 'close');
  return { code, ...written };
}

t.test('the command builds a file, or says what is wrong', async (t) => {
  const [from, to] = [join(path, 'list'), join(path, 'filter')];
  writeFileSync(from, sha1('one'));
  const build = ['breached', 'build', '--from', from, '--to', to];
  t.same(await command(build), { code: 0, out: `${to}: 1 hashes, 52 bytes\n`, err: '' });
  t.match(await command(build), { code: 73, err: /exists already/ });
  t.match(await command(['breached', '--help']), {
    code: 0,
    out: /^latchkey breached build --from/,
  });
  const absent = [...build.slice(0, 3), join(path, 'absent'), ...build.slice(4)];
  t.match(await command(absent), { code: 66, err: /ENOENT/ });
  for (const words of [[], ['build'], ['make', ...build.slice(2)], ['build', '--what']])
    t.match(await command(['breached', ...words]), {
      code: 64,
      err: /See latchkey breached --help/,
    });
});

const NEXT = 'a lantern in the rainy harbour';

t.test('a disk on which only a part of a write fits is a fault', async (t) => {
  // 8,192 hashes of one part are written at once.
  const hashes = Array.from(
    { length: 8_192 },
    (_, index) => `07${index.toString(16).padStart(4, '0')}${'0'.repeat(34)}`,
  );
  const [from, to] = [join(path, 'one-part'), join(path, 'one-part.filter')];
  writeFileSync(from, hashes.join('\n'));
  const build = ['breached', 'build', '--from', from, '--to', to];
  const limited = await command(build, {}, 8_192 * 6 - 2);
  t.match(limited, { code: 74, out: '', err: /^EFBIG: [^\n]+\n$/ });
  t.match(await command(build), { code: 0, out: /: 8192 hashes,/ });
});

t.test('a breached password is refused at sign-up, change and reset, and says why', async (t) => {
  const { to } = await built(sha1(NEXT));
  const { post, as, signUp, context } = await testApp(t, { env: { BREACHED_PASSWORDS: to } });
  const email = 'eve@example.com';
  const refusedWith = (answer: Awaited<ReturnType<typeof post>>, field: string) => {
    const { errors } = refused(t, answer, 422, 'invalid_input');
    t.match(errors, [{ path: field, message: /^is known from a breach of another service/ }]);
  };
  refusedWith(await post('/v1/register', { email, password: NEXT }), '/password');
  t.equal(await context.users.findByEmail(email), undefined);
  const { access_token } = await signUp();
  const payload = { current_password: 'correct horse battery staple', new_password: NEXT };
  const change = { method: 'PUT', url: '/v1/me/password', payload } as const;
  refusedWith(await as(access_token, change), '/new_password');

  truncateSync(to, 20);
  refused(t, await post('/v1/register', { email, password: NEXT }), 503, 'unavailable');
  await context.breachedPasswords?.close();
  refused(t, await post('/v1/register', { email, password: NEXT }), 503, 'unavailable');
});

t.test('without a file the dictionaries decide', async (t) => {
  const { post } = await testApp(t);
  const answer = await post('/v1/register', { email: 'eve@example.com', password: NEXT });
  t.equal(answer.statusCode, 201);
});

t.test('a file that is missing or damaged stops the start', async (t) => {
  const { to } = await built(passwords.map(sha1).join('\n'));
  const whole = readFileSync(to);
  const damaged = (name: string, bytes: Buffer) => {
    const file = join(path, name);
    writeFileSync(file, bytes);
    return file;
  };
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(60) ^ 1, 60);
  const newer = Buffer.from(whole);
  newer.writeUInt8(9, 8);
  for (const [file, message] of [
    [
      join(path, 'absent'),
      /^The file .*absent cannot be read\. .*BREACHED_PASSWORDS\. \(ENOENT\)$/,
    ],
    [damaged('empty', Buffer.alloc(0)), /is not a whole filter file\. Make it again/],
    [damaged('text', Buffer.from(sha1('x').repeat(9))), /is not a whole filter file/],
    [damaged('newer', newer), /is not a whole filter file/],
    [damaged('short', whole.subarray(0, -4)), /is not a whole filter file/],
    [damaged('shorter', whole.subarray(0, 100)), /is not a whole filter file/],
    [damaged('flipped', flipped), /is not a whole filter file/],
  ] as const)
    await t.rejects(testApp(t, { env: { BREACHED_PASSWORDS: file } }), { message, exitCode: 78 });
});

t.test('hashes that fill the memory of a part are written, and none is lost', async (t) => {
  const parts = new Parts(join(folder(t), 'part-'), 2);
  const hashes = [5, 1, 4, 2, 3].map((last) => Buffer.from([7, 0, 0, 0, 0, 0, last]));
  for (const hash of hashes) parts.add(hash);
  const [found] = [...parts.sorted()].filter(({ hashes: some }) => some.length > 0);
  t.same([found?.first, ...(found?.hashes ?? [])], [7, 1, 2, 3, 4, 5]);
  parts.remove();
});

t.test('parts that cannot be created leave nothing, not even the file itself', async (t) => {
  const from = join(path, 'list-of-one');
  writeFileSync(from, sha1('one'));
  const built = (to: string) => buildFilter({ from, to, progress: () => {} });
  const cannot = { exitCode: 73, message: /parts-\S* cannot be created \(ENAMETOOLONG\)$/ };

  const short = folder(t);
  // Names may have 255 bytes: the folder of the parts, with a longer one, cannot be created.
  await t.rejects(built(join(short, 'x'.repeat(250))), cannot);
  t.same(readdirSync(short), []);

  // Paths may have 4,095 bytes: with this one the part 99 can be created, and 100 cannot.
  const room = 4_095 - '.parts-XXXXXX/99'.length - '/to'.length;
  let long = folder(t);
  while (long.length + 202 < room) long = join(long, 'x'.repeat(200));
  long = join(long, 'x'.repeat(room - long.length - 1));
  mkdirSync(long, { recursive: true });
  const before = nextDescriptor();
  await t.rejects(built(join(long, 'to')), cannot);
  t.same(readdirSync(long), []);
  t.equal(nextDescriptor(), before, 'no file stays open');
});
