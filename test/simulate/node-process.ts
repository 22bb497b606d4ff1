import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answer, Presented } from './issuer.ts';

const PROGRAM = join(import.meta.dirname, 'node-program.ts');

/** One node of the service in a process of its own. Each request tells it the time of the simulation. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #clock: () => number;
  /** A retry gets the same text again. */
  readonly #seen = new Set<string>();

  private constructor(child: ChildProcess, url: string, clock: () => number) {
    this.#child = child;
    this.#url = `${url}/v1/refresh`;
    this.#clock = clock;
  }

  static async start(env: Record<string, string>, clock: () => number): Promise<NodeProcess> {
    const child = fork(PROGRAM, { env: { ...process.env, ...env, NOW: String(clock()) } });
    const [url] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`a node ended with ${code} before it listened`);
      }),
    ]);
    return new NodeProcess(child, url as string, clock);
  }

  async refresh({ token, idempotencyKey }: Presented): Promise<Answer> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
        'x-clock': String(this.#clock()),
      },
      body: JSON.stringify({ refresh_token: token }),
    });
    const body = (await answer.json()) as { refresh_token: string; code?: string };
    if (answer.status === 401) return { outcome: 'refused' };
    if (answer.status !== 200) throw new Error(`${answer.status} ${body.code}`);
    const { refresh_token } = body;
    const isRepeated = this.#seen.has(refresh_token);
    this.#seen.add(refresh_token);
    return { outcome: isRepeated ? 'repeated' : 'rotated', token: refresh_token };
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
