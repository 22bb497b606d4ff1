import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { statusTable } from '../../src/commands/keys/status.ts';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { nodeCommand } from '../child.ts';
import { folder } from '../databases.ts';
import { NOW } from '../rules/samples.ts';
import { keySet } from '../test-app.ts';

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

const run = (words: string[], env: Record<string, string> = {}) =>
  new Promise<Result>((resolve) => {
    const [command, args] = nodeCommand(['src/commands/latchkey.ts', 'keys', ...words], true);
    const options = { env: { ...process.env, npm_command: '', ...env } };
    execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1_000);

t.test(
  'the table has a line for each key: its state, its times in UTC, and what is next',
  async (t) => {
    const now = Date.parse('2026-11-26T12:00:00Z');
    const at = (text: string) => seconds(Date.parse(text));
    const gone = { ...newSigningKey('RS256', 0), exp: at('2026-11-26T12:00:00Z') };
    const verifying = {
      ...newSigningKey('ES256', at('2026-01-01T00:00:00Z')),
      exp: at('2026-11-26T12:20:30Z'),
    };
    const undated = newSigningKey('ES256', at('2026-01-02T00:00:00Z'));
    const signing = newSigningKey('EdDSA', at('2026-11-26T11:00:00Z'));
    const published = newSigningKey('ES256', at('2026-11-26T12:10:00Z'));
    const replaced = newMasterSecret(0);
    const master = newMasterSecret(at('2026-11-26T12:00:00Z'));
    const tableOf = (...keys: PrivateJwk[]) =>
      statusTable(readKeySet(keySet(...keys)), { signing: 900, masters: 86_400 }, now)
        .split('\n')
        .map((line) => line.trim().split(/ {3,}/));
    const [heading, ...lines] = tableOf(
      gone,
      verifying,
      undated,
      signing,
      published,
      replaced,
      master,
    );
    t.same(heading, ['kid', 'algorithm', 'for', 'state', 'since', 'until', 'next']);
    const [tokens, own, to] = ['access tokens', 'own tokens', '2026-11-26 12:00:00Z'];
    t.same(lines, [
      [gone.kid, 'RS256', tokens, 'gone', '-', to, 'retire removes it'],
      [
        verifying.kid,
        'ES256',
        tokens,
        'verifying',
        '2026-01-01 00:00:00Z',
        '2026-11-26 12:20:30Z',
        'retire removes it',
      ],
      [undated.kid, 'ES256', tokens, 'verifying', '2026-01-02 00:00:00Z', '-', 'retire removes it'],
      [
        signing.kid,
        'EdDSA',
        tokens,
        'signing',
        '2026-11-26 11:00:00Z',
        '-',
        'only verifies from 2026-11-26 12:10:00Z on',
      ],
      [
        published.kid,
        'ES256',
        tokens,
        'published',
        '2026-11-26 12:10:00Z',
        '-',
        'signs at 2026-11-26 12:10:00Z',
      ],
      [replaced.kid, 'HKDF', own, 'verifying', '-', '-', 'gone at 2026-11-27 12:01:00Z'],
      [master.kid, 'HKDF', own, 'signing', to, '-', 'signs until rotate'],
      [''],
    ]);
    const ending = newMasterSecret(0);
    t.equal(
      tableOf({ ...ending, exp: seconds(now) + 60 })[1]?.at(-1),
      'nothing signs from 2026-11-26 12:01:00Z on',
    );
  },
);

t.test('status shows the keys of SIGNING_KEYS, and nothing secret', async (t) => {
  const key = newSigningKey('ES256', seconds(NOW));
  const master = newMasterSecret(0);
  const { code, stdout, stderr } = await run(['status'], { SIGNING_KEYS: keySet(key, master) });
  t.same([code, stderr], [0, '']);
  t.match(stdout, `${key.kid}`);
  t.match(stdout, `${master.kid}`);
  for (const secret of [key['d'], master['k']]) t.notMatch(stdout, String(secret));
});

t.test('status makes no keys', async (t) => {
  const path = join(folder(t), 'keys.json');
  const { code, stdout, stderr } = await run(['status'], { SIGNING_KEYS: path });
  t.same([code, stdout], [78, '']);
  t.equal(stderr, 'SIGNING_KEYS cannot be used: the file does not exist\n');
  t.equal(existsSync(path), false);
});

const keysIn = (path: string) => readKeySet(readFileSync(path, 'utf8'));

t.test('init writes the keys of a production to a new file, for its owner only', async (t) => {
  const cwd = folder(t);
  const path = join(cwd, 'etc', 'keys.json');
  const made = await run(['init', path]);
  const [key] = keysIn(path).signing;
  t.same(made, {
    code: 0,
    stdout: `${path}: ES256 ${key?.kid}, and a master secret\n`,
    stderr: '',
  });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(keysIn(path).masters.length, 1);
  t.same(readdirSync(join(cwd, 'etc')), ['keys.json']);
  const shown = await run(['status'], { SIGNING_KEYS: path });
  t.equal(shown.stdout.match(/ signing /g)?.length, 2);

  const before = readFileSync(path, 'utf8');
  const again = await run(['init', path]);
  t.same(again, {
    code: 73,
    stdout: '',
    stderr: `${path} exists already, and is not overwritten\n`,
  });
  t.equal(readFileSync(path, 'utf8'), before);
  t.same(readdirSync(join(cwd, 'etc')), ['keys.json'], 'no draft is left');

  const other = join(cwd, 'other.json');
  t.match(await run(['init', other, '--alg', 'EdDSA']), { code: 0, stderr: '' });
  t.match(keysIn(other).signing, [{ alg: 'EdDSA' }]);
});

/** A git checkout with this `.gitignore`. */
function checkout(t: Test, ignored: string): string {
  const path = folder(t);
  execFileSync('git', ['init', '--quiet', path]);
  writeFileSync(join(path, '.gitignore'), ignored);
  return path;
}

t.test('init warns if git would commit the file', async (t) => {
  const open = join(checkout(t, ''), 'keys.json');
  const warned = await run(['init', open]);
  t.match(warned, {
    code: 0,
    stderr: /keys\.json is in a git checkout that does not ignore it\. .*\n$/,
  });
  t.ok(existsSync(open));
  const ignored = join(checkout(t, 'keys.json\n'), 'keys.json');
  t.match(await run(['init', ignored]), { code: 0, stderr: '' });
});

t.test('keys are replaced by command, those too whose kid begins with a hyphen', async (t) => {
  const path = join(folder(t), 'keys.json');
  let key = newSigningKey('ES256', 1);
  while (!key.kid?.startsWith('-')) key = newSigningKey('ES256', 1);
  writeFileSync(path, keySet(key, newMasterSecret(1)), { mode: 0o600 });
  const env = { SIGNING_KEYS: path };
  t.match(await run(['rotate', '--master'], env), { code: 0, stdout: / signs$/m, stderr: '' });
  t.match(await run(['check'], env), { code: 0, stdout: 'No problem found.\n' });
  t.match(await run(['drop', '--', key.kid], env), { code: 0, stdout: `${key.kid} is dropped.\n` });
  t.match(await run(['drop', key.kid], env), { code: 64, stderr: 'KID is the kid' });
  t.match(await run(['drop', keysIn(path).masters[0]?.kid ?? ''], env), { code: 65 });
  t.match(await run(['drop', '--help']), { stdout: /^latchkey keys drop KID \[--yes\]\n/ });
});

t.test('every command has its own help', async (t) => {
  for (const words of [['--help'], ['-h'], ['help'], ['help', 'toString']]) {
    const { code, stdout, stderr } = await run(words, { SIGNING_KEYS: '{' });
    t.same([code, stderr], [0, ''], words.join(' '));
    t.match(stdout, /^latchkey keys COMMAND\n\n {2}init PATH \[--alg ALG\] +\S.*\n {2}status +\S/);
  }
  t.match((await run(['status', '--help'])).stdout, /^latchkey keys status\n[\s\S]*verifying/);
  const { stdout } = await run(['help', 'init']);
  t.match(stdout, /^latchkey keys init PATH \[--alg ALG\]\n[\s\S]*\n {2}--alg ALG +\S/);
  for (const line of stdout.split('\n')) t.ok(line.length <= 100, line);
});

t.test('a wrong command line is refused, and nothing is written', async (t) => {
  const cwd = folder(t);
  const path = join(cwd, 'keys.json');
  const cases: [string[], RegExp][] = [
    [[], /^latchkey keys COMMAND\n/],
    [['statsu'], /^There is no such command\. Did you mean status\?\n\nlatchkey keys COMMAND\n/],
    [['toString'], /^There is no such command\.\n/],
    [['status', path], /^latchkey keys status\nSee latchkey keys status --help\n$/],
    [['init'], /^latchkey keys init PATH \[--alg ALG\]\nSee latchkey keys init --help\n$/],
    [['init', path, path], /^latchkey keys init PATH/],
    [['init', join(cwd, 'keys')], /^PATH must be the name of a file that ends in \.json\n$/],
    [
      ['init', keySet(newMasterSecret(0))],
      /^PATH must be the name of a file that ends in \.json\n$/,
    ],
    [['init', path, '--alg', 'none'], /^--alg is one of ES256, /],
    [['init', path, '--force'], /--force[\s\S]*\nSee latchkey keys init --help\n$/],
  ];
  const results = await Promise.all(cases.map(([words]) => run(words)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [words, message] = cases[index] as (typeof cases)[number];
    t.same([code, stdout], [64, ''], words.join(' '));
    t.match(stderr, message, words.join(' '));
    t.notMatch(stderr, /^ +at /m);
  }
  t.same(readdirSync(cwd), []);
});
