import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import bcrypt from 'bcrypt';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { UsageError } from '../../src/commands/usage-error.ts';
import { runUsersCommand } from '../../src/commands/users-command.ts';
import { readUsersCommand, usageOf } from '../../src/commands/users-usage.ts';
import type { Context } from '../../src/context.ts';
import { Users } from '../../src/parts/storage/users.ts';
import { nodeCommand, withFileLimit } from '../child.ts';
import { deaf, type Engine, folder, opened, postgres, sqliteFile } from '../databases.ts';
import { mailbox } from '../mailbox.ts';
import { keysFor, PASSWORD, testApp } from '../test-app.ts';

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

const environment = (url: string, others: Record<string, string> = {}) => ({
  ...process.env,
  // npm tells its scripts that it runs them.
  npm_command: '',
  DATABASE_URL: url,
  SIGNING_KEYS: keysFor('ES256'),
  MAIL_URL: 'smtp://127.0.0.1:1',
  ...others,
});

const CALLED = 'latchkey users';
/** What a progress bar writes when it ends. */
const CURSOR_BACK = '\u001b8';
const USAGE = usageOf(CALLED);
const ENTRY = ['src/commands/latchkey.ts', 'users'];

interface Start {
  env?: Record<string, string>;
  isMeasured?: boolean;
}

const start = (url: string, args: string[], { env, isMeasured }: Start = {}): ChildProcess =>
  spawn(...nodeCommand([...ENTRY, ...args], isMeasured), { env: environment(url, env) });

/** Runs the command in a process, with this standard input. */
async function run(
  url: string,
  args: string[],
  { input = '', ...options }: Start & { input?: string } = {},
): Promise<Result> {
  const child = start(url, args, options);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

/** A terminal, and what was written to it. */
function terminal(input: string | undefined, isTTY = false) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  if (input !== undefined) stdin.end(input);
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })];
  const written = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  return { terminal: { stdin, stdout, stderr }, written };
}

type Terminal = Parameters<typeof runUsersCommand>[2];

/** Reads and runs a command line. */
async function carryOut(words: string[], context: Context, own: Terminal) {
  const command = readUsersCommand(words, CALLED);
  if (!('help' in command)) await runUsersCommand(command, context, own);
}

async function mistaken(t: Test, attempt: Promise<unknown>) {
  t.ok((await attempt.catch((error) => error)) instanceof UsageError);
}

const linesOf = (output: string) => output.split('\n').filter((line) => line !== '');

const usersIn = (t: Test, url: string) => new Users(opened(t, url), deaf);

t.test('in one process', async (t) => {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const { context, login, refresh, as } = app;
  const command = async (args: string[], input = '') => {
    const { terminal: own, written } = terminal(input);
    await carryOut(args, context, own);
    return written;
  };

  t.test(
    'an account is created with the password from standard input, without its line end',
    async (t) => {
      const { out, err } = await command(
        ['create', 'Ada@example.com', '--name', 'Ada', '--admin'],
        `${PASSWORD}\r\n`,
      );
      const user = await context.users.findByEmail('ada@example.com');
      t.equal(out, `${user?.id} Ada@example.com (admin)\n`);
      t.equal(err, '');
      t.match(user, { name: 'Ada', roles: ['admin'], email_verified_at: app.clock.now });
      t.notMatch(JSON.stringify(user), PASSWORD);
      t.equal((await login()).statusCode, 200);
      await command(['create', 'plain@example.com'], PASSWORD);
      t.match(await context.users.findByEmail('plain@example.com'), { roles: [], name: null });
      t.equal(await box.settled(), 0, 'no mail is sent');
    },
  );

  t.test('a refused command creates no account', async (t) => {
    const before = await context.users.list({ kind: 'person', limit: 100 });
    await mistaken(t, command(['create', 'not an address'], PASSWORD));
    await t.rejects(command(['create', 'eve@example.com'], 'short\n'), { code: 'invalid_input' });
    await t.rejects(command(['create', 'ADA@example.com'], PASSWORD));
    await mistaken(t, command(['create', 'eve@example.com', '--name', 'A\u202eda'], PASSWORD));
    await mistaken(t, command(['create', 'eve@example.com', PASSWORD]));
    await mistaken(t, command(['create', 'eve@example.com', `--password=${PASSWORD}`]));
    for (const args of [[], ['nonsense'], ['delete', 'ada@example.com']])
      await t.rejects(command(args, PASSWORD), {
        message: new RegExp(`(^|\\n)${USAGE.split('\n')[0]}\n`),
      });
    for (const args of [['create'], ['disable'], ['import'], ['list', 'x'], ['export', 'x']])
      await t.rejects(command(args, PASSWORD), {
        message: new RegExp(`^latchkey users ${args[0]}.*\nSee latchkey users ${args[0]} --help$`),
      });
    t.same(await context.users.list({ kind: 'person', limit: 100 }), before);
  });

  t.test('a user is disabled, enabled and signed out, and every token stops working', async (t) => {
    await command(['create', 'carl@example.com'], PASSWORD);
    const email = 'carl@example.com';
    const first = (await login(email)).json();
    const { out } = await command(['end-sessions', ' CARL@example.com']);
    t.match(out, 'signed out everywhere');
    t.equal((await as(first.access_token, { url: '/v1/whoami' })).statusCode, 401);
    const second = (await login(email)).json();
    await command(['disable', email]);
    t.equal((await refresh(second.refresh_token)).statusCode, 401);
    t.equal((await login(email)).statusCode, 401);
    await command(['enable', email]);
    t.equal((await login(email)).statusCode, 200);
    t.equal((await refresh(second.refresh_token)).statusCode, 401, 'ended sessions stay ended');
    for (const act of ['disable', 'enable', 'end-sessions'])
      await mistaken(t, command([act, 'nobody@example.com']));
    await t.rejects(command(['disable', 'ada@example.com']), { code: 'last_admin' });
    t.match(await context.users.findByEmail('ada@example.com'), { status: 'active' });
  });

  t.test(
    'a list has one line per user, an export one object, and neither has a secret',
    async (t) => {
      const user = await context.users.findByEmail('carl@example.com');
      await command(['disable', 'plain@example.com']);
      const all = (await command(['list'])).out;
      t.equal(linesOf(all).length, 3);
      t.match(all, new RegExp(`${user?.id}  active  carl@example.com  1 sessions\n`));
      t.match(all, /disabled {2}plain@example\.com/);
      t.match(all, /Ada@example\.com {2}1 sessions {2}admin\n/);
      t.equal(linesOf((await command(['list', '--email', 'CA'])).out).length, 1);
      const { out } = await command(['export']);
      const exported = linesOf(out).map((line) => JSON.parse(line));
      t.equal(exported.length, 3);
      t.same(
        Object.keys(exported[0]).sort(),
        [
          'claims',
          'created_at',
          'email',
          'email_verified',
          'id',
          'last_login_at',
          'name',
          'roles',
          'status',
          'updated_at',
        ].sort(),
      );
      for (const output of [out, all]) t.notMatch(output, /argon2|\$|secret|hash/);
    },
  );

  t.test('an export of many pages waits for its reader and is complete', async (t) => {
    const file = join(folder(t), 'many.jsonl');
    const many = Array.from({ length: 1_001 }, (_, index) =>
      JSON.stringify({ email: `m${index}@example.com` }),
    );
    writeFileSync(file, many.join('\n'));
    t.equal((await command(['import', file])).out, '1001 added, 0 already present, 0 refused\n');
    t.equal((await command(['import', file])).out, '0 added, 1001 already present, 0 refused\n');
    const emails = linesOf((await command(['export'])).out).map((line) => JSON.parse(line).email);
    t.equal(new Set(emails).size, 1_004);
    t.equal(emails.length, 1_004);
    const found = linesOf((await command(['list', '--email', 'M'])).out);
    t.equal(found.length, 1_001, 'a search is complete too');
    t.equal(new Set(found).size, 1_001);
  });

  t.test('a terminal is asked for the password, and does not show it', async (t) => {
    const { terminal: own, written } = terminal(undefined, true);
    const running = carryOut(['create', 'tty@example.com'], context, own);
    setTimeout(() => own.stdin.write(`${PASSWORD}\n`), 50);
    await running;
    t.match(written.err, 'Password: ');
    t.notMatch(written.err + written.out, PASSWORD);
    t.equal((await login('tty@example.com')).statusCode, 200);
  });

  t.test('an import and an export have custom claims', async (t) => {
    const file = join(folder(t), 'claims.jsonl');
    const lines = [
      { claims: { plan: 'pro', __proto: 1 } },
      { claims: { sub: 'root' } },
      { claims: { x: 'a'.repeat(300) } },
      {
        claims: { x: 'a'.repeat(240) },
        roles: [
          'editor',
          'reports:read',
          'reports:write',
          'ledgers:read',
          'ledgers:write',
          'audits:read',
        ],
      },
      { claims: { plan: 'pro' } },
    ].map((more, index) => JSON.stringify({ email: `claims${index}@example.com`, ...more }));
    const polluting = '{"email":"claims5@example.com","claims":{"__proto__":{"x":1},"a":1}}';
    writeFileSync(file, [...lines, polluting].join('\n'));
    const { out, err } = await command(['import', file]);
    t.equal(out, '2 added, 0 already present, 4 refused\n');
    t.match(linesOf(err), [
      'line 1: claims __proto must start with a letter, then letters, digits and _.:/~-',
      'line 2: claims sub is a registered name',
      'line 3: claims must have at most 256 bytes as JSON, not 308',
      /^line 4: roles and claims together are too long/,
    ]);
    const exported = linesOf((await command(['export'])).out).map((line) => JSON.parse(line));
    const claimsOf = (address: string) => exported.find(({ email }) => email === address)?.claims;
    t.same(claimsOf('claims4@example.com'), { plan: 'pro' });
    t.same(claimsOf('claims5@example.com'), { a: 1 });
  });

  t.test('an imported hash signs in, and is replaced by that', async (t) => {
    const file = join(folder(t), 'one.jsonl');
    const password_hash = await bcrypt.hash('short one', 4);
    const line = { email: 'old@example.com', name: 'Old', password_hash, email_verified: true };
    const none = { email: 'none@example.com', status: 'disabled', roles: ['editor'] };
    const twice = { email: 'OLD@example.com', name: 'Twice' };
    writeFileSync(file, [line, none, twice].map((each) => JSON.stringify(each)).join('\r\n'));
    t.equal((await command(['import', file])).out, '2 added, 1 already present, 0 refused\n');
    const before = await context.users.findByEmail('old@example.com');
    t.match(before, { password_hash, name: 'Old', email_verified_at: app.clock.now });
    t.match(await context.users.findByEmail('none@example.com'), {
      status: 'disabled',
      roles: ['editor'],
      password_hash: null,
      email_verified_at: null,
    });
    t.equal((await login('old@example.com', 'short onf')).statusCode, 401);
    t.match(await context.users.findByEmail('old@example.com'), { password_hash });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => login('old@example.com', 'short one')),
    );
    t.same(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200, 200],
    );
    const after = await context.users.findByEmail('old@example.com');
    t.match(after?.password_hash, /^\$argon2id\$/);
    t.equal((await login('old@example.com', 'short one')).statusCode, 200);
    t.equal((await login('none@example.com', '')).statusCode, 422);
  });

  t.test('each refused line is reported in one line, with its number and the reason', async (t) => {
    const file = join(folder(t), 'bad.jsonl');
    const email = 'bad@example.com';
    const bad = [
      'not json',
      JSON.stringify({ email: 'no address' }),
      JSON.stringify({ email, 'a\nb\u001b[2J\u009b2J\u202e': 1, id: 'x' }),
      JSON.stringify({ email, password_hash: '$1$md5$hash' }),
      JSON.stringify({ email, roles: ['Not A Role'], name: '' }),
      JSON.stringify({ email, sessions: [], token_version: 0 }),
      JSON.stringify({ roles: [] }),
      '[]',
      'null',
    ];
    writeFileSync(
      file,
      ['', ...bad, '  ', JSON.stringify({ email: 'good@example.com' }), ''].join('\n'),
    );
    const { terminal: own, written } = terminal('');
    await carryOut(['import', file], context, own);
    const lines = linesOf(written.err);
    t.same(
      lines.map((line) => Number(/^line (\d+): .{5,}$/.exec(line)?.[1])),
      bad.map((_, index) => index + 2),
    );
    t.equal(written.out, `1 added, 0 already present, ${bad.length} refused\n`);
    t.notMatch(written.err, /[^\P{C}\n]/u);
    t.match(written.err, '\\u009b2J\\u202e');
    t.notMatch(written.err, '$1$md5$hash', 'no hash is shown');
    t.notMatch(written.err, /expected|received|Invalid/, 'no words of the parser');
    t.match(written.err, /^line \d+: email is required$/m);
    t.equal(await context.users.findByEmail(email), undefined);
  });

  t.test('a progress bar is shown only at a terminal', async (t) => {
    const file = join(folder(t), 'bar.jsonl');
    writeFileSync(file, JSON.stringify({ email: 'bar@example.com' }));
    const shown = terminal('', true);
    Object.assign(shown.terminal.stderr, { cursorTo: () => {}, clearLine: () => {}, columns: 80 });
    await carryOut(['import', file], context, shown.terminal);
    t.match(shown.written.err, '%');
    // Otherwise its timer keeps the process.
    const failed = terminal('', true);
    Object.assign(failed.terminal.stderr, { cursorTo: () => {}, clearLine: () => {}, columns: 80 });
    await t.rejects(carryOut(['import', `${file}.none`], context, failed.terminal), {
      code: 'ENOENT',
    });
    t.match(failed.written.err, CURSOR_BACK, 'a fault ends it too');
    const piped = terminal('');
    await carryOut(['import', file], context, piped.terminal);
    t.equal(piped.written.err, '');
  });
});

t.test('in a process of its own', async (t) => {
  const engine = sqliteFile(t);
  const url = await engine.create();

  t.test('it exits with 0 on success, and prints what it did', async (t) => {
    const created = await run(url, ['create', 'ada@example.com', '--admin'], {
      input: PASSWORD,
      isMeasured: true,
    });
    t.match(created, { code: 0, stderr: '', stdout: /^[\w-]{36} ada@example\.com \(admin\)\n$/ });
    const listed = await run(url, ['list']);
    t.match(listed, { code: 0, stderr: '', stdout: /ada@example\.com/ });
  });

  t.test('every command has its own help', async (t) => {
    const names = [...USAGE.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
    t.equal(names.length, 8);
    for (const name of names.filter((each) => each !== 'help')) {
      const { help = '' } = readUsersCommand([name, '--help'], CALLED) as { help?: string };
      t.match(help, new RegExp(`^latchkey users ${name}( |\\n)`), name);
      t.not(help, USAGE, name);
      for (const line of help.split('\n')) t.ok(line.length <= 100, line);
    }
  });

  t.test('help needs no database and no configuration', async (t) => {
    const env = { SIGNING_KEYS: '{', HASH_PASSES: 'none' };
    for (const args of [
      ['--help'],
      ['-h'],
      ['help'],
      ['nonsense', '--help'],
      ['help', 'toString'],
    ]) {
      const helped = await run('nothing:', args, { env, isMeasured: true });
      t.same(helped, { code: 0, stdout: USAGE, stderr: '' }, args.join(' '));
    }
    for (const args of [
      ['create', '--help'],
      ['create', 'x@example.com', '-h'],
      ['help', 'create'],
    ]) {
      const helped = await run('nothing:', args, { env, isMeasured: true });
      t.match(helped, { code: 0, stderr: '' }, args.join(' '));
      t.match(helped.stdout, /^latchkey users create EMAIL \[--admin\] \[--name NAME\]\n/);
      t.match(helped.stdout, / {2}--admin +\S/, 'it explains each option');
      t.notMatch(helped.stdout, /import|export|disable/, 'it mentions no other command');
    }
    const faults: [string[], string][] = [
      [[], USAGE],
      [
        ['create'],
        'latchkey users create EMAIL [--admin] [--name NAME]\nSee latchkey users create --help\n',
      ],
      [['nonsense'], `There is no such command.\n\n${USAGE}`],
      [['toString', 'x'], `There is no such command.\n\n${USAGE}`],
      [['lits'], `There is no such command. Did you mean list?\n\n${USAGE}`],
    ];
    for (const [args, stderr] of faults) {
      const refused = await run('nothing:', args, { env, isMeasured: true });
      t.same(refused, { code: 64, stdout: '', stderr }, args.join(' '));
    }
  });

  t.test('every error has its exit code, and a message without a stack trace', async (t) => {
    const cases: [string[], number, RegExp, (Start & { input?: string })?][] = [
      [[], 64, /latchkey users/],
      [['create', 'eve@example.com', '--password', PASSWORD], 64, /--password/],
      [['create', 'ada@example.com'], 65, /address/, { input: PASSWORD }],
      [['create', 'eve@example.com'], 65, /password must have 15/, { input: 'short' }],
      [['disable', 'ada@example.com'], 65, /administrator/],
      [
        ['import', 'not-there.jsonl'],
        66,
        /^not-there\.jsonl cannot be read: no such file or directory \(ENOENT\)$/m,
      ],
      [['import', '.'], 66, /^The input cannot be read: illegal operation on a directory/m],
      [['export', '--with-secrets', '.'], 73, /\. exists already/],
      [['export', '--with-secrets', 'not-there/x'], 73, /cannot be created \(ENOENT\)/],
      [['export', '--with-secrets', '/dev/full/x'], 73, /ENOTDIR/],
      [['list'], 78, /HASH_PASSES/, { env: { HASH_PASSES: '0' } }],
      [['list'], 78, /JSON/, { env: { SIGNING_KEYS: '{' } }],
      [['list'], 69, /ECONNREFUSED/, { env: { DATABASE_URL: 'postgres://x:x@127.0.0.1:1/x' } }],
    ];
    const results = await Promise.all(
      cases.map(([args, , , options]) => run(url, args, { isMeasured: true, ...options })),
    );
    for (const [index, { code, stdout, stderr }] of results.entries()) {
      const [args, expected, message] = cases[index] as (typeof cases)[number];
      t.equal(code, expected, args.join(' '));
      t.match(stderr, message, args.join(' '));
      t.notMatch(stderr, /^\s+at /m, args.join(' '));
      t.notMatch(stderr, PASSWORD);
      t.equal(stdout, '');
    }
  });

  t.test('an unexpected error is shown with its stack trace', async (t) => {
    const preload =
      'Object.defineProperty(process, "stdin", { get() { throw Error("unforeseen") } })';
    const NODE_OPTIONS = `${process.env['NODE_OPTIONS'] ?? ''} --import=data:text/javascript,${encodeURIComponent(preload)}`;
    const ended = await run(url, ['create', 'bug@example.com'], {
      env: { NODE_OPTIONS },
      isMeasured: true,
    });
    t.match(ended, { code: 70, stdout: '', stderr: /unforeseen\n +at / });
  });

  t.test('a database that takes no writes is reported in one line', async (t) => {
    const path = await engine.create();
    t.equal((await run(path, ['create', 'ada@example.com'], { input: PASSWORD })).code, 0);
    const database = new SQLite(path.slice('file:'.length));
    database.exec(
      "create trigger never before update on users begin select raise(fail, 'never'); end",
    );
    const ended = await run(path, ['disable', 'ada@example.com'], { isMeasured: true });
    database.close();
    t.match(ended, {
      code: 69,
      stdout: '',
      stderr: /^The database [^\n]+ cannot complete the operation now\.[^\n]*\n$/,
    });
  });

  t.test('an invalid database file and a full disk are reported', async (t) => {
    const path = join(folder(t), 'none.db');
    writeFileSync(path, 'This is not a database. '.repeat(100));
    const damaged = await run(`file:${path}`, ['list'], { isMeasured: true });
    t.match(damaged, { code: 78, stderr: /^The database \S+ is not a SQLite database\..*\n$/ });
    if (!existsSync('/dev/full')) return;
    const full = openSync('/dev/full', 'w');
    t.teardown(() => closeSync(full));
    const child = spawn(...nodeCommand([...ENTRY, 'list'], true), {
      env: environment(url),
      stdio: ['ignore', full, 'pipe'],
    });
    const stderr = text(child.stderr as NodeJS.ReadableStream);
    t.equal(await new Promise((resolve) => child.on('close', resolve)), 74);
    t.match(await stderr, /^ENOSPC[^\n]*\n$/);
  });

  t.test('a reader of the output may stop early', async (t) => {
    const file = join(folder(t), 'many.jsonl');
    const many = Array.from({ length: 3_000 }, (_, index) =>
      JSON.stringify({ email: `m${index}@example.com`, name: 'x'.repeat(100) }),
    );
    writeFileSync(file, many.join('\n'));
    t.equal((await run(url, ['import', file])).code, 0);
    const child = start(url, ['export'], { isMeasured: true });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const stderr = text(child.stderr as NodeJS.ReadableStream);
    const code = await new Promise((resolve) => child.on('close', resolve));
    t.equal(code, 0);
    t.equal(await stderr, '');
    const listing = start(url, ['list'], { isMeasured: true });
    listing.stdout?.destroy();
    t.equal(await new Promise((resolve) => listing.on('close', resolve)), 0);
  });

  t.test(
    'an export whose last byte does not fit on the disk is a fault, and is removed',
    async (t) => {
      const path = folder(t);
      const exported = (name: string) => ['export', '--with-secrets', join(path, name)];
      t.equal((await run(url, exported('whole'))).code, 0);
      const limit = statSync(join(path, 'whole')).size - 1;
      const line = withFileLimit(limit, nodeCommand([...ENTRY, ...exported('cut')]));
      const child = spawn(...line, { env: environment(url) });
      const stderr = text(child.stderr);
      t.equal(await new Promise((resolve) => child.on('close', resolve)), 74);
      t.match(await stderr, /^EFBIG: [^\n]+\n$/);
      t.same(readdirSync(path), ['whole']);
    },
  );

  t.test('an import goes on when nobody reads what it says', async (t) => {
    for (const gone of ['stdout', 'stderr'] as const) {
      const file = join(folder(t), 'refused.jsonl');
      const email = `${gone}@example.com`;
      const refused = Array.from({ length: 3_000 }, () => 'not json');
      writeFileSync(file, [...refused, JSON.stringify({ email })].join('\n'));
      const child = start(url, ['import', file], { isMeasured: true });
      child[gone]?.destroy();
      const [other] = [child.stdout, child.stderr].filter((output) => output !== child[gone]);
      const said = text(other as NodeJS.ReadableStream);
      t.equal(await new Promise((resolve) => child.on('close', resolve)), 65, gone);
      t.match(await said, gone === 'stdout' ? 'line 3000: is not JSON\n' : '1 added, ', gone);
      t.ok(await usersIn(t, url).findByEmail(email), gone);
    }
  });

  t.test('a real terminal is asked for the password, and does not show it', async (t) => {
    const [command, args] = nodeCommand([...ENTRY, 'create', 'tty@example.com']);
    const line = [command, ...args].join(' ');
    const child = spawn('script', ['-qec', line, '/dev/null'], { env: environment(url) });
    let shown = '';
    child.stdout.on('data', (chunk) => {
      if (!shown.includes('Password:') && `${shown}${chunk}`.includes('Password:'))
        child.stdin.write(`${PASSWORD}\r`);
      shown += chunk;
    });
    child.on('error', () => t.comment('this machine has no script(1)'));
    const code = await new Promise((resolve) => {
      child.on('close', resolve);
      child.on('error', () => resolve(undefined));
    });
    if (code === undefined) return;
    t.equal(code, 0);
    t.notMatch(shown, PASSWORD);
    t.match(shown, 'tty@example.com');
    t.ok(await usersIn(t, url).findByEmail('tty@example.com'));
  });
});

t.test('an import that was killed continues where it stopped', async (t) => {
  const engines: Engine[] = [sqliteFile(t), await postgres(t)];
  for (const engine of engines) {
    t.test(`on ${engine.name}`, async (t) => {
      const url = await engine.create();
      const file = join(folder(t), 'users.jsonl');
      const count = 4_000;
      const lines = Array.from({ length: count }, (_, index) =>
        JSON.stringify({ email: `u${index}@example.com`, name: `User ${index}` }),
      );
      lines.splice(1_500, 0, 'not json');
      writeFileSync(file, lines.join('\n'));
      t.equal((await run(url, ['list'])).code, 0, 'the tables exist');
      const users = usersIn(t, url);
      const stored = async () => (await users.list({ kind: 'person', limit: 10_000 })).length;

      const child = start(url, ['import', file]);
      const closed = new Promise((resolve) => child.on('close', resolve));
      for (let seen = 0; seen === 0; ) seen = await stored();
      child.kill('SIGKILL');
      await closed;
      const before = await stored();
      t.equal(before % 1_000, 0, 'whole commits only');
      const first = await users.findByEmail('u0@example.com');

      const { code, stdout, stderr } = await run(url, ['import', file]);
      t.equal(code, 65);
      t.equal(stdout, `${count - before} added, ${before} already present, 1 refused\n`);
      t.equal(stderr, 'line 1501: is not JSON\n', 'no progress bar without a terminal');
      t.equal(await stored(), count);
      t.same(await users.findByEmail('u0@example.com'), first, 'existing users do not change');
    });
  }
});
