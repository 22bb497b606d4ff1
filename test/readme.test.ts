import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { documents } from '../src/commands/documents.ts';
import { nodeCommand } from './child.ts';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const PORT_SHOWN = 'http://localhost:3000';

/** The fenced blocks below a heading of a page, in order. */
const blocksOf = (page: string, heading: string) => {
  const sections = readFileSync(page, 'utf8').split(/^##? /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language as string,
    text: text as string,
  }));
};

async function listening(server: ChildProcess): Promise<void> {
  let log = '';
  for await (const chunk of server.stdout ?? []) {
    log += String(chunk);
    if (log.includes('listens on')) return;
  }
  throw new Error(`the server ended: ${log}`);
}

/** `npm start` without npm, with everything it writes in a folder of its own. Answers its issuer: its origin, and `base`. */
async function startServer(t: Test, base = ''): Promise<string> {
  const data = folder(t);
  const port = await freePort();
  const server = spawn(...nodeCommand(['src/main.ts']), {
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      ...(base && { ISSUER: `http://localhost:${port}${base}` }),
      DATABASE_URL: `file:${join(data, 'latchkey.db')}`,
      SIGNING_KEYS: join(data, 'keys.json'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
  await listening(server);
  server.stdout?.resume();
  return `http://localhost:${port}${base}`;
}

/** Numbers that no two runs share. */
const VOLATILE = new Set(['refresh_after', 'refresh_expires_in', 'iat', 'exp', 'auth_time']);

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** An answer that a page shows, as a pattern: `…` stands for what differs from run to run. */
const patternOf = (shown: string) =>
  JSON.parse(shown, (key, value) => {
    if (VOLATILE.has(key)) return Number;
    if (typeof value !== 'string' || !value.includes('…')) return value;
    return new RegExp(`^${value.split('…').map(literally).join('.+')}$`);
  });

/** The names of all members, at every depth. */
const namesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, member]) => [name, ...namesOf(member)])
    : [];

for (const base of ['', '/auth'])
  t.test(
    `a newcomer who pastes the walk-through sees the answers that it shows, at ${base}/`,
    async (t) => {
      await run('curl', ['--version']).catch(() => {
        throw new Error('this test runs the README with real curl: install curl');
      });
      const issuer = await startServer(t, base);
      const blocks = blocksOf('README.md', 'Try it').map(({ language, text }) => ({
        language,
        text: text.replaceAll(PORT_SHOWN, issuer).replaceAll('"/problems/', `"${base}/problems/`),
      }));
      const steps = blocks.filter(({ language }) => language === 'sh');
      const shown = blocks.filter(({ language }) => language !== 'sh');
      t.equal(steps.length, 7);
      t.equal(shown.length, steps.length, 'each step shows its answer');

      const script = `set -eu\n${steps.map(({ text }) => text).join("\nprintf '\\n@@@\\n'\n")}`;
      const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
      const { stdout, stderr } = await run('sh', ['-c', script], {
        env: { PATH: path, NO_PROXY: 'localhost' },
      });
      t.equal(stderr, '');
      const answers = stdout.split('\n@@@\n').map((answer) => answer.trim());
      t.equal(answers.length, steps.length);
      for (const [index, { language, text }] of shown.entries()) {
        const step = steps[index]?.text.split('\n').find((line) => line.includes('curl')) ?? '';
        const answer = answers[index] as string;
        if (language === 'text') {
          t.equal(answer, text.trim(), step);
        } else {
          t.match(JSON.parse(answer), patternOf(text), step);
          t.same(
            namesOf(JSON.parse(answer)),
            namesOf(JSON.parse(text)),
            `${step}: the same members`,
          );
        }
      }
    },
  );

t.test('the first screen of the README signs a newcomer up', async (t) => {
  const [command, answer, ...more] = blocksOf('README.md', 'Start');
  t.same(more, [], 'one command and its answer');
  const firstScreen = readFileSync('README.md', 'utf8').split('\n').slice(0, 45).join('\n');
  t.ok(firstScreen.includes(`${answer?.text}`), 'without scrolling');

  const issuer = await startServer(t);
  const script = `${command?.text}`.replaceAll(PORT_SHOWN, issuer);
  const { stdout } = await run('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], NO_PROXY: 'localhost' },
  });
  t.match(JSON.parse(stdout), patternOf(`${answer?.text}`));
  t.same(namesOf(JSON.parse(stdout)), namesOf(JSON.parse(`${answer?.text}`)), 'the same members');
});

t.test('the recipe with fast-check runs against the service, and finds a fault', async (t) => {
  const issuer = await startServer(t);
  const project = folder(t);
  const [recipe] = blocksOf('.github/CHECKING.md', 'With fast-check');
  writeFileSync(join(project, 'contract.mjs'), recipe?.text ?? '');
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  const contract = (env: Record<string, string>) =>
    run(process.execPath, ['contract.mjs'], { cwd: project, env });
  const { stdout } = await contract({ ISSUER: issuer });
  t.match(stdout, 'no request was answered wrongly');
  const wrong = createServer((_request, answer) => answer.end('{}')).listen(0, '127.0.0.1');
  t.teardown(() => wrong.close());
  await once(wrong, 'listening');
  const { port } = wrong.address() as AddressInfo;
  await t.rejects(contract({ ISSUER: `http://127.0.0.1:${port}` }), {
    code: 1,
    stderr: /Property failed[\s\S]*answered 200/,
  });
});

t.test('a service with the key set alone takes access tokens and nothing else', async (t) => {
  const issuer = await startServer(t);
  const project = folder(t);
  const [example] = blocksOf('.github/VERIFYING.md', 'In Node');
  writeFileSync(join(project, 'verify.mjs'), example?.text ?? '');
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  const verify = (token: string, audience = issuer) =>
    run(process.execPath, ['verify.mjs', token], {
      cwd: project,
      env: { ISSUER: issuer, AUDIENCE: audience },
    });

  const answer = await fetch(`${issuer}/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' }),
  });
  const tokens = (await answer.json()) as Record<string, string>;
  const token = tokens['access_token'] as string;
  const [header, claims, signature] = token.split('.') as [string, string, string];
  const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());

  const { stdout } = await verify(token);
  t.match(stdout, sub);

  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(claims)), roles: ['admin'] }));
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  const refused = {
    'a refresh token': tokens['refresh_token'] as string,
    'a device token': tokens['device_token'] as string,
    'claims of a stranger': `${header}.${forged.toString('base64url')}.${signature}`,
    'no algorithm': `${none}.${claims}.`,
  };
  for (const [name, other] of Object.entries(refused))
    await t.rejects(verify(other), { code: 1 }, name);
  await t.rejects(verify(token, 'https://other.example.com'), { code: 1 }, 'another audience');
});

t.test('the recipe that decodes a token shows its header and its claims', async (t) => {
  const [recipe] = blocksOf('.github/CONTRIBUTING.md', 'Look inside');
  const parts = ['{"typ":"at+jwt"}', '{"sub":"Ådå"}'];
  const access = [...parts.map((part) => Buffer.from(part).toString('base64url')), 'x'].join('.');
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, access };
  const { stdout } = await run('sh', ['-c', `${recipe?.text}`], { env });
  t.same(stdout.trimEnd().split('\n'), parts);
});

t.test('the recipe for production keys makes them where no commit takes them', async (t) => {
  const operating = '.github/OPERATING.md';
  const recipe = blocksOf(operating, 'Keys').find(({ text }) => text.includes('npm start'));
  const home = folder(t);
  const server = spawn(
    'sh',
    [
      '-c',
      `exec env ${recipe?.text.replace('npm start', nodeCommand(['src/main.ts']).flat().join(' '))}`,
    ],
    {
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        PORT: String(await freePort()),
        METRICS_PORT: '0',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = once(server, 'exit');
  for (let waited = 0; readdirSync(home).length === 0 && waited < 20_000; waited += 50)
    await sleep(50);
  // A half-made file has another name for a moment.
  await sleep(500);
  server.kill('SIGKILL');
  await ended;
  const [made, ...others] = readdirSync(home);
  t.same(others, []);
  const path = join(home, String(made));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(JSON.parse(readFileSync(path, 'utf8')).keys.length, 2);
  const lines = readFileSync(operating, 'utf8').split('\n');
  const docker = lines.find((line) => line.startsWith('docker run')) ?? '';
  t.match(docker, `-v "$HOME/${made}":`, 'and the image gets the same file');
  t.match(readFileSync('.gitignore', 'utf8'), /^keys\.json$/m, 'nor are those of an older recipe');
});

t.test(
  'the tables of routes and of variables, and openapi.yaml, are those of the code',
  async (t) => {
    const made = await documents();
    for (const { path, text } of made) t.equal(readFileSync(path, 'utf8'), text, path);
    const tables = made.flatMap(({ text }) => text.match(/(?<=^<!-- )\w+(?= -->\n\| \w)/gm) ?? []);
    t.same(tables, ['routes', 'variables'], 'each table has its place');
  },
);
