import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { nodeCommand } from './child.ts';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
export const PORT_SHOWN = 'http://localhost:3000';

/** The fenced blocks below a heading of a page, in order. */
export const blocksOf = (page: string, heading: string) => {
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

/**
 * `npm start` without npm, or another `command` of Node, with everything it writes in a folder of its own. Answers its
 * issuer: its origin, and `base`.
 */
export async function startServer(
  t: Test,
  { base = '', command = ['src/main.ts'], env = {} } = {},
): Promise<string> {
  const data = folder(t);
  const port = await freePort();
  const server = spawn(...nodeCommand(command), {
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      ...(base && { ISSUER: `http://localhost:${port}${base}` }),
      DATABASE_URL: `file:${join(data, 'latchkey.db')}`,
      SIGNING_KEYS: join(data, 'keys.json'),
      ...env,
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
export const patternOf = (shown: string) =>
  JSON.parse(shown, (key, value) => {
    if (VOLATILE.has(key)) return Number;
    if (typeof value !== 'string' || !value.includes('…')) return value;
    return new RegExp(`^${value.split('…').map(literally).join('.+')}$`);
  });

/** The names of all members, at every depth. */
export const namesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, member]) => [name, ...namesOf(member)])
    : [];

/** Pastes the steps of "Try it" into a shell, and compares the answers with those that the page shows. */
export async function walkThrough(t: Test, issuer: string, base = ''): Promise<void> {
  await run('curl', ['--version']).catch(() => {
    throw new Error('this test runs the README with real curl: install curl');
  });
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
      t.same(namesOf(JSON.parse(answer)), namesOf(JSON.parse(text)), `${step}: the same members`);
    }
  }
}
