import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { createVerifier } from '../../src/clients/verify.js';
import { readConfig } from '../../src/config.ts';
import { buildContext } from '../../src/context.ts';
import { freePort } from '../free-port.ts';
import { admin, type SignedIn, signedIn } from '../people.ts';
import { keysFor, PASSWORD } from '../test-app.ts';
import { joseRecipe } from '../verifiers/jose-recipe.ts';
import { feedSizes } from './feed-sizes.ts';
import type { Bench } from './run.ts';
import { atMost, type Row } from './table.ts';

/** Revocations of each kind, and how many of them at once. */
const PEOPLE = 200;
const AT_ONCE = 20;
/** Milliseconds. */
const POLL = 1_000;
const GIVE_UP = 20_000;
const STEPS = [100, 250, 500, 1_000, 1_500, 2_000, Number.POSITIVE_INFINITY];

type Change = [method: string, path: string, payload?: object, byRoot?: boolean];

/** The ways in which a token is revoked. */
const KINDS: Record<string, (user: SignedIn) => Change> = {
  'session ended': () => ['POST', '/v1/logout'],
  'signed out everywhere': () => ['DELETE', '/v1/me/sessions'],
  'password changed': () => [
    'PUT',
    '/v1/me/password',
    { current_password: PASSWORD, new_password: 'another correct horse battery' },
  ],
  'user disabled': ({ id }) => ['PATCH', `/v1/users/${id}`, { status: 'disabled' }, true],
  'role removed': ({ id }) => ['PATCH', `/v1/users/${id}`, { roles: [] }, true],
};

/** One of two nodes on one database. */
async function startNode(issuer: string, database: string) {
  const config = readConfig({
    ISSUER: issuer,
    DATABASE_URL: database,
    SIGNING_KEYS: keysFor('ES256'),
    RATE_LIMIT: 'off',
    AUTH_RATE_LIMIT: 'off',
    LOG_LEVEL: 'silent',
  });
  const logger = pino({ level: 'silent' });
  const context = await buildContext(config, { logger });
  const app = await buildApp(context, { logger });
  const unfollow = context.revocationFeed.follow(POLL, () => {});
  return {
    context,
    app,
    stop: async () => {
      unfollow();
      context.revocationLog.release();
      await app.close();
      await context.close();
    },
  };
}

/** Sessions end at one node; verifiers of other services follow the other one. How long until they refuse the token. */
export async function feed({ progress, say }: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const database = `file:${join(folder, 'feed.db')}`;
  const asked = await startNode(issuer, database);
  const writes = await startNode(issuer, database);
  await asked.app.listen({ host: '127.0.0.1', port });
  const own = createVerifier({ issuer });
  const jose = await joseRecipe(issuer);
  const verifiers: Record<string, (token: string) => Promise<unknown>> = {
    'latchkey/verify': own.verify,
    'the recipe with jose': jose.verify,
  };
  const root = await admin(writes);
  const times = Object.fromEntries(Object.keys(verifiers).map((name) => [name, [] as number[]]));

  const revoke = async (user: SignedIn, [method, url, payload, byRoot]: Change) => {
    const by = byRoot ? root.access_token : user.access_token;
    const headers = { host: `127.0.0.1:${port}`, authorization: `Bearer ${by}` };
    const request = { method: method as 'GET', url, headers, ...(payload && { payload }) };
    const { statusCode, payload: text } = await writes.app.inject(request);
    if (statusCode >= 300) throw new Error(`${method} ${url}: ${statusCode} ${text}`);
    const begin = performance.now();
    await Promise.all(
      Object.entries(verifiers).map(async ([name, verify]) => {
        const isAccepted = () =>
          verify(user.access_token).then(
            () => true,
            () => false,
          );
        while (performance.now() - begin < GIVE_UP && (await isAccepted())) await sleep(20);
        times[name]?.push(performance.now() - begin);
      }),
    );
  };

  for (const [kind, changeOf] of Object.entries(KINDS)) {
    for (let from = 0; from < PEOPLE; from += AT_ONCE) {
      progress(`${kind}: ${from} of ${PEOPLE}`);
      const names = Array.from({ length: AT_ONCE }, (_, index) => `${kind} ${from + index}`);
      const users = await Promise.all(
        names.map((name) =>
          signedIn(writes, `${name.replaceAll(' ', '.')}@example.com`, { roles: ['editor'] }),
        ),
      );
      await Promise.all(users.map((user) => revoke(user, changeOf(user))));
    }
  }
  own.close();
  const joseStops = jose.close();
  await writes.stop();
  await asked.stop();
  await joseStops;
  rmSync(folder, { recursive: true, force: true });

  const rows = Object.entries(times).map(([name, found]) => {
    const sorted = found.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    say(`${name}: median ${Math.round(at(0.5))} ms, p99 ${Math.round(at(0.99))} ms`);
    for (const [index, step] of STEPS.entries()) {
      const count = found.filter((ms) => ms < step && ms >= (STEPS[index - 1] ?? 0)).length;
      say(`  < ${step} ms ${'#'.repeat(Math.ceil((40 * count) / found.length))} ${count}`);
    }
    return atMost(`first 401 after a revocation, ${name} (p99)`, at(0.99), {
      target: 2_000,
      unit: 'ms',
    });
  });
  return [...rows, ...(await feedSizes(say))];
}
