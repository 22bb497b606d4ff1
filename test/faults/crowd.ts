import { setTimeout as sleep } from 'node:timers/promises';
import type { serve } from '../server.ts';
import { PASSWORD, type Tokens } from '../test-app.ts';

type Node = Pick<Awaited<ReturnType<typeof serve>>, 'url' | 'post' | 'tokens' | 'whoami'>;

/** What clients saw while something failed. */
export interface Seen {
  refreshes: number;
  /** Answers of 503 with `Retry-After`. */
  refused: number;
  /** Requests without an answer. */
  unanswered: number;
  /** Checks of a valid access token that succeeded. */
  checks: number;
  /** Answers 401 to an access token that was valid when it was issued. */
  checksRefused: number;
  /** Anything else. */
  unforeseen: string[];
  /** Answers that accepted a revoked token. */
  revokedAccepted: number;
  /** Clients that could not go on afterwards. */
  signedOut: number;
  /** Milliseconds from the fault to the first 503 of `/readyz`, and from its end to the first 200. */
  notReadyAfter?: number;
  readyAfter?: number;
  /** The words of `/readyz` in between. */
  words: string[];
}

export interface Fault {
  begin(): Promise<unknown> | unknown;
  end(): Promise<unknown> | unknown;
  /** How long it lasts (ms). */
  lasts: number;
}

const CLIENTS = 8;
/** Between two requests of a client (ms). */
const PAUSE = 100;
const AGAIN_WITHIN = 60_000;

/** Clients that refresh all the time, as they do in a minute of a service with thousands of them; and one who is signed out. */
export async function crowd(node: Node) {
  const newcomer = (name: string) =>
    node.tokens('/v1/register', { email: `${name}@example.com`, password: PASSWORD });
  const clients: Tokens[] = [];
  for (let index = 0; index < CLIENTS; index += 1) clients.push(await newcomer(`u${index}`));
  const gone = await newcomer('gone');
  await node.post('/v1/logout', { refresh_token: gone.refresh_token });

  const readiness = async (): Promise<{ status: number; word: string }> => {
    const answer = await fetch(`${node.url}/readyz`).catch(() => undefined);
    if (answer === undefined) return { status: 0, word: 'no answer' };
    const { status, database_fault, ...parts } = (await answer.json()) as Record<string, string>;
    const failing = Object.keys(parts).filter((part) => parts[part] !== 'ok');
    return { status: answer.status, word: database_fault ?? failing.join() };
  };

  /** Goes on with a client's work while the fault lasts, and until the node is ready again. */
  async function during({ begin, end, lasts }: Fault): Promise<Seen> {
    const seen: Seen = {
      refreshes: 0,
      refused: 0,
      unanswered: 0,
      checks: 0,
      checksRefused: 0,
      unforeseen: [],
      revokedAccepted: 0,
      signedOut: 0,
      words: [],
    };
    let isOver = false;
    const repeat = async (step: () => Promise<void>) => {
      while (!isOver) {
        await step().catch(() => {
          seen.unanswered += 1;
        });
        await sleep(PAUSE);
      }
    };
    const refresh = async (index: number) => {
      const { refresh_token } = clients[index] as Tokens;
      const answer = await node.post('/v1/refresh', { refresh_token });
      const body = await answer.text();
      if (answer.ok) {
        clients[index] = JSON.parse(body);
        seen.refreshes += 1;
      } else if (answer.status === 503 && answer.headers.has('retry-after')) seen.refused += 1;
      else seen.unforeseen.push(`refresh: ${answer.status} ${body}`);
    };
    const check = async () => {
      const { access_token } = clients[0] as Tokens;
      const { status } = await node.whoami(access_token);
      if (status === 200) seen.checks += 1;
      else if (status === 401) seen.checksRefused += 1;
      else seen.unforeseen.push(`whoami: ${status}`);
      if ((await node.whoami(gone.access_token)).status === 200) seen.revokedAccepted += 1;
    };
    const work = Promise.all([
      ...clients.map((_, index) => repeat(() => refresh(index))),
      repeat(check),
    ]);

    await sleep(500);
    const began = Date.now();
    const until = { time: Number.POSITIVE_INFINITY };
    const watch = (async () => {
      while (!isOver) {
        const { status, word } = await readiness();
        if (status !== 200) {
          seen.notReadyAfter ??= Date.now() - began;
          if (!seen.words.includes(word)) seen.words.push(word);
        } else if (Date.now() > until.time) {
          seen.readyAfter = Date.now() - until.time;
          return;
        }
        if (Date.now() > until.time + AGAIN_WITHIN) return;
        await sleep(20);
      }
    })();
    await begin();
    await sleep(lasts);
    await end();
    until.time = Date.now();
    await watch;
    await sleep(1_000);
    isOver = true;
    await work;
    for (const { refresh_token } of clients) {
      const answer = await node.post('/v1/refresh', { refresh_token });
      if (!answer.ok) seen.signedOut += 1;
    }
    if ((await node.whoami(gone.access_token)).status === 200) seen.revokedAccepted += 1;
    return seen;
  }
  return { during };
}
