import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { nodeCommand } from './child.ts';
import { freePort } from './free-port.ts';
import type { Tokens } from './test-app.ts';

const SOURCE = fileURLToPath(import.meta.resolve('../src/'));

interface Options {
  /** Where `src` is: that of another version, for one. */
  source?: string;
  /** The working folder: `data/` is made there. */
  cwd: string;
  env?: Record<string, string>;
  /** A file of `src`, and its arguments. */
  entry?: [string, ...string[]];
  /** What the process runs before the service, as a module. */
  preload?: string;
  /** How a shell starts the process, which is its `"$@"`: with a limit, or with another standard output. */
  shell?: string;
  /** The lines that it runs count as covered; it starts more slowly. */
  isMeasured?: boolean;
}

export interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string[];
  stderr: string;
}

/** What ends with a test, or with something else that has a teardown. */
export type Scope = Pick<Test, 'teardown'>;

/** Starts the real process. It is killed when the test ends, if it has not ended by then. */
export function launch(
  t: Scope,
  {
    source = SOURCE,
    cwd,
    env = {},
    entry: [file, ...words] = ['main.ts'],
    preload,
    shell = 'exec "$@"',
    isMeasured = false,
  }: Options,
) {
  const preloads = preload
    ? ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
    : [];
  const [command, args] = nodeCommand([...preloads, join(source, file), ...words], isMeasured);
  const child = spawn('sh', ['-c', shell, 'sh', command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended: Promise<Ended> = once(child, 'close').then(([code, signal]) => ({
    code,
    signal,
    stdout,
    stderr,
  }));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  /** Waits for a line of the log. */
  async function line(pattern: RegExp): Promise<string> {
    for (let waited = 0; waited < 60_000; waited += 10) {
      const found = stdout.find((text) => pattern.test(text));
      if (found !== undefined) return found;
      if (child.exitCode !== null) break;
      await sleep(10);
    }
    throw new Error(`no line like ${pattern}: ${stdout.join('\n')}${stderr}`);
  }
  return { child, ended, line, stdout, stderr: () => stderr };
}

/** Starts the real process, and waits until it listens. */
export async function serve(t: Scope, options: Options) {
  const port = options.env?.['PORT'] ?? String(await freePort());
  const env = {
    RATE_LIMIT: 'off',
    AUTH_RATE_LIMIT: 'off',
    METRICS_PORT: '0',
    ...options.env,
    PORT: port,
  };
  const launched = launch(t, { ...options, env });
  await launched.line(/Latchkey listens on/);
  const url = `http://127.0.0.1:${port}`;
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  /** Asks for the tokens, and fails on any other answer. */
  async function tokens(
    path: string,
    body: object,
    headers?: Record<string, string>,
  ): Promise<Tokens> {
    const answer = await post(path, body, headers);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Tokens;
  }
  const whoami = (token: string) =>
    fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
  return { ...launched, url, port, post, tokens, whoami };
}
