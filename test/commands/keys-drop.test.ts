import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { nodeCommand } from '../child.ts';
import { folder } from '../databases.ts';
import { serve } from '../server.ts';
import { PASSWORD, type Tokens } from '../test-app.ts';

const run = promisify(execFile);

/** Whether it comes true within five seconds: the page says one, and a machine that is busy takes longer. */
async function soon(what: () => Promise<boolean>): Promise<boolean> {
  const began = performance.now();
  while (performance.now() - began < 5_000) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

t.test(
  'KEY-06 drop: every node refuses the tokens of the key, and nobody is signed out',
  async (t) => {
    const cwd = folder(t);
    const path = join(cwd, 'data', 'keys.json');
    // The first one makes the keys and the table.
    const env = { ISSUER: 'http://localhost:3000' };
    const nodes = [await serve(t, { cwd, env })];
    nodes.push(...(await Promise.all([serve(t, { cwd, env }), serve(t, { cwd, env })])));
    const clients: Tokens[] = [];
    for (const [index, node] of nodes.entries())
      clients.push(
        await node.tokens('/v1/register', { email: `u${index}@example.com`, password: PASSWORD }),
      );
    const answers = (tokens: Tokens[]) =>
      Promise.all(
        nodes.flatMap((node) =>
          tokens.map(async ({ access_token }) => (await node.whoami(access_token)).status),
        ),
      );
    t.same(new Set(await answers(clients)), new Set([200]));

    const [{ kid }] = JSON.parse(readFileSync(path, 'utf8')).keys as [PrivateJwk];
    const [command, args] = nodeCommand(['src/commands/latchkey.ts', 'keys', 'drop', `${kid}`]);
    const { stdout } = await run(command, args, { env: { ...process.env, SIGNING_KEYS: path } });
    t.match(stdout, `${kid} is dropped.\n`);
    t.ok(await soon(async () => (await answers(clients)).every((status) => status === 401)));

    const refreshed: Tokens[] = [];
    for (const [index, { refresh_token }] of clients.entries()) {
      const node = nodes[(index + 1) % nodes.length] as (typeof nodes)[number];
      refreshed.push(await node.tokens('/v1/refresh', { refresh_token }));
    }
    t.same(new Set(await answers(refreshed)), new Set([200]), 'all are signed in, on every node');
    t.same(new Set(await answers(clients)), new Set([401]));
  },
);
