import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { calledAs } from '../../src/commands/called.ts';
import { columns } from '../../src/commands/columns.ts';
import { COMMANDS } from '../../src/commands/commands.ts';
import { EXIT_CODES } from '../../src/commands/exit-codes.ts';
import { faultOf } from '../../src/commands/fault-of.ts';
import { noSuchCommand } from '../../src/commands/nearest.ts';
import { nodeCommand } from '../child.ts';
import { folder } from '../databases.ts';
import { freePort } from '../free-port.ts';
import { launch } from '../server.ts';

const ENTRY = 'src/commands/latchkey.ts';
const { version, engines } = JSON.parse(readFileSync('package.json', 'utf8'));

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line with settings that nothing can start with. */
const run = (words: string[], { preload = '', isMeasured = false } = {}) =>
  new Promise<Result>((resolve) => {
    const preloads = preload && ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
    const [command, args] = nodeCommand([...preloads, ENTRY, ...words], isMeasured);
    const env = { ...process.env, npm_command: '', SIGNING_KEYS: '{' };
    execFile(command, args, { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

t.test('its help lists every command and every exit code', async (t) => {
  for (const words of [['--help'], ['-h'], ['help']]) {
    const { code, stdout, stderr } = await run(words, { isMeasured: words[0] === '--help' });
    t.same([code, stderr], [0, ''], words.join(' '));
    t.match(stdout, /^latchkey COMMAND\n/);
    for (const name of [...Object.keys(COMMANDS), ...Object.keys(EXIT_CODES)])
      t.match(stdout, new RegExp(`^  ${name} `, 'm'), name);
    for (const line of stdout.split('\n')) t.ok(line.length <= 100, line);
  }
});

t.test('each command has its own help, which needs no configuration', async (t) => {
  for (const name of Object.keys(COMMANDS))
    for (const words of [
      [name, '--help'],
      [name, '-h'],
      [name, 'help'],
      ['help', name],
    ]) {
      const { code, stdout, stderr } = await run(words, { isMeasured: words[1] === 'start' });
      t.same([code, stderr], [0, ''], words.join(' '));
      t.match(stdout, new RegExp(`^latchkey ${name}\\b`), words.join(' '));
    }
  const { stdout } = await run(['start', '-h'], { isMeasured: true });
  for (const name of ['DATABASE_URL', 'WORKERS'])
    t.match(stdout, new RegExp(`^  ${name} `, 'm'), 'start names the settings');
});

t.test('it shows its version', async (t) => {
  t.same(await run(['--version'], { isMeasured: true }), {
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  });
});

t.test('a wrong command line is refused with 64, and the nearest command is named', async (t) => {
  const cases: [string[], RegExp][] = [
    [[], /^latchkey COMMAND\n[\s\S]* 64 /],
    [['strat'], /^There is no such command\. Did you mean start\?\nSee latchkey --help\n$/],
    [['toString'], /^There is no such command\.\nSee latchkey --help\n$/],
    [['--verbose'], /^There is no such command\.\nSee latchkey --help\n$/],
    [['start', 'now'], /^latchkey start takes no arguments[\s\S]*See latchkey start --help\n$/],
    [['users', 'lits'], /^There is no such command\. Did you mean list\?\n/],
  ];
  const results = await Promise.all(cases.map(([words]) => run(words, { isMeasured: true })));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [words, message] = cases[index] as (typeof cases)[number];
    t.same([code, stdout], [64, ''], words.join(' '));
    t.match(stderr, message, words.join(' '));
  }
});

t.test('a misspelt command is recognised, another word is not', async (t) => {
  const names = ['start', 'users', 'keys', 'end-sessions'];
  const cases = {
    strat: 'start',
    user: 'users',
    kyes: 'keys',
    kexs: 'keys',
    endsessions: 'end-sessions',
  };
  for (const [word, name] of Object.entries(cases))
    t.equal(noSuchCommand(word, names), `There is no such command. Did you mean ${name}?`, word);
  for (const word of ['', 'x', 'ks', 'sign', 'correct horse'])
    t.equal(noSuchCommand(word, names), 'There is no such command.', word);
});

t.test('a help text begins as the command line of its reader did', async (t) => {
  t.equal(calledAs({}, 'users'), 'latchkey users');
  t.equal(calledAs({ npm_lifecycle_event: 'users' }, 'users'), 'npm run users --');
  t.equal(calledAs({ npm_lifecycle_event: 'users' }, 'keys'), 'latchkey keys');
  t.equal(calledAs({ npm_lifecycle_event: 'latchkey' }, 'keys'), 'npm run latchkey -- keys');
  t.equal(calledAs({ npm_lifecycle_event: 'npx', npm_command: 'exec' }), 'npx --no latchkey');
  t.equal(calledAs({}), 'latchkey');
});

t.test('columns are as wide as their longest cell', async (t) => {
  t.equal(
    columns([['a', 'bcd', 'e'], ['fgh', 'i', ''], ['j']]),
    '  a     bcd   e\n  fgh   i\n  j\n',
  );
});

t.test('an old Node is refused with what is needed, whatever the command is', async (t) => {
  const preload =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })";
  t.same(await run(['start'], { preload, isMeasured: true }), {
    code: 78,
    stdout: '',
    stderr: `Latchkey needs Node ${engines.node}. This is 20.19.0.\n`,
  });
});

t.test('nothing in a message or in a stack trace controls the terminal', async (t) => {
  const versions = (text: string) =>
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, ${text} } })`;
  const hostile = '20\\u001b]0;x\\u0007\\u009b2J\\u202e';
  for (const [text, code] of [
    [`node: '${hostile}'`, 78],
    [`node: { toString() { throw new Error('${hostile}') } }`, 70],
  ] as const) {
    const result = await run([], { preload: versions(text), isMeasured: true });
    t.equal(result.code, code);
    t.match(result.stderr, '20\\u001b]0;x\\u0007\\u009b2J\\u202e');
    t.notMatch(result.stderr, /[^\P{C}\n]/u);
  }
});

t.test('start is npm start: it serves, and refuses with the same codes', async (t) => {
  const refused = await launch(t, {
    cwd: folder(t),
    env: { PORT: 'http' },
    entry: ['commands/latchkey.ts', 'start'],
    isMeasured: true,
  }).ended;
  t.match(refused, { code: 78, stdout: [], stderr: /^The configuration has a mistake|PORT/ });
  const port = String(await freePort());
  for (const WORKERS of ['1', '2']) {
    const server = launch(t, {
      cwd: folder(t),
      env: { PORT: port, METRICS_PORT: '0', WORKERS },
      entry: ['commands/latchkey.ts', 'start'],
      isMeasured: WORKERS === '1',
    });
    await server.line(/Latchkey listens on/);
    t.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200, `${WORKERS} workers`);
    server.child.kill('SIGTERM');
    t.match(await server.ended, { code: 0, stderr: '' });
  }
});

t.test('a file that cannot be read has another code than one that cannot be written', async (t) => {
  const fault = (syscall: string) =>
    faultOf(Object.assign(new Error(`EIO: i/o error, ${syscall}`), { syscall, code: 'EIO' }));
  t.match(fault('open'), { exitCode: 66, message: 'The input cannot be read: i/o error (EIO)' });
  t.match(fault('read'), { exitCode: 66 });
  t.match(fault('write'), { exitCode: 74 });
});

t.test('the page for operators explains the same exit codes', async (t) => {
  const page = readFileSync('.github/OPERATING.md', 'utf8');
  const codes = [...page.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  t.same(codes, Object.keys(EXIT_CODES).map(Number));
});
