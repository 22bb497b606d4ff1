import { randomInt } from 'node:crypto';
import { progressBar } from '../progress-bar.ts';
import type { Answer } from './exchange.ts';
import { type Generated, generated, randomFrom } from './generator.ts';
import { bearer } from './session.ts';
import { type Check, skipped, verdictOf } from './verdict.ts';

/** Of the requests in a window, how many are left to the other clients of this network. */
const SPARED = 0.2;

/** Milliseconds to wait, so that no limit is reached. */
export function pauseAfter({ headers }: Pick<Answer, 'headers'>): number {
  const [limit, left, reset] = ['limit', 'remaining', 'reset'].map((name) =>
    Number(headers[`ratelimit-${name}`]),
  ) as [number, number, number];
  return left < SPARED * limit ? reset * 1_000 : 0;
}

/** What can be sent again, in the form of a command. It has no secret: what was sent was generated. */
const shownRequest = ({ method, path, body }: Generated): string =>
  `${method} ${path.slice(0, 80)}${body === undefined ? '' : ` with ${body.slice(0, 120)}`}`;

export const fuzz: Check = {
  group: 'Generated requests',
  name: 'fuzz',
  needs: ['problems'],
  async run({ site, contract, options, terminal, account }) {
    const { requests, seed = randomInt(2 ** 32) } = options;
    if (requests === 0) return skipped('give --fuzz to send generated requests');
    const random = randomFrom(seed);
    const own = bearer(account?.session).headers;
    const bar = progressBar(terminal.stderr);
    const faults: string[] = [];
    try {
      for (let sent = 0; sent < requests; sent++) {
        const request = generated(contract, { random, own });
        const answer = await site.ask(request.path, request);
        const fault =
          answer.status >= 500
            ? `${answer.method} ${answer.path}: the answer ${answer.status}`
            : contract.faultsOf(answer)[0];
        // Five are shown.
        if (fault !== undefined && faults.length < 5)
          faults.push(`${fault} (${shownRequest(request)})`);
        // Hundreds of answers need not be kept.
        site.answers.pop();
        bar.show(sent + 1, requests);
        const pause = pauseAfter(answer);
        if (pause > 0) await site.pause(pause);
      }
    } finally {
      bar.stop();
    }
    return verdictOf(
      faults,
      `${requests} requests, each answered as declared (seed ${seed})`,
      `Repeat them with --fuzz --requests ${requests} --seed ${seed}. The log of the node has the cause of a 5xx.`,
    );
  },
};
