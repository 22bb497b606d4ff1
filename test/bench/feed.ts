import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { issueForServiceAccount } from '../../src/actions/clients/client-credentials.ts';
import { newServiceAccount } from '../../src/actions/clients/service-accounts.ts';
import { resetToken } from '../../src/actions/tokens/mailed-tokens.ts';
import { buildApp } from '../../src/app.ts';
import type { TokenError } from '../../src/clients/verify.d.ts';
import { createVerifier } from '../../src/clients/verify.js';
import { readConfig } from '../../src/config.ts';
import { buildContext, type Context } from '../../src/context.ts';
import { POLL_EVERY } from '../../src/processes/serving.ts';
import type { User } from '../../src/schemas/user.ts';
import { freePort } from '../free-port.ts';
import { admin, type SignedIn, signedIn } from '../people.ts';
import { keysFor, PASSWORD } from '../test-app.ts';
import { isInstalled } from '../verifiers/debian-libraries.ts';
import { build, type DebianRecipe, debianRecipes, start } from '../verifiers/debian-recipes.ts';
import { joseRecipe } from '../verifiers/jose-recipe.ts';
import { feedSizes } from './feed-sizes.ts';
import type { Bench } from './run.ts';
import { atMost, type Row } from './table.ts';

/** Revocations of each kind, and how many of them at once. */
const PEOPLE = 200;
const AT_ONCE = 20;
/** Milliseconds. */
const GIVE_UP = 20_000;
const STEPS = [100, 250, 500, 750, 1_000, 1_500, 2_000, GIVE_UP];

const NEW_PASSWORD = 'another correct horse battery';

/** Who revokes: the user, an administrator, or a service account for that (`program`). */
type Change = [method: string, path: string, payload?: object | undefined, by?: 'root' | 'program'];

/** The ways in which a token is revoked. */
const KINDS: Record<string, (user: SignedIn, context: Context) => Change | Promise<Change>> = {
  'session ended': () => ['POST', '/v1/logout'],
  'signed out everywhere': () => ['DELETE', '/v1/me/sessions'],
  'password changed': () => [
    'PUT',
    '/v1/me/password',
    { current_password: PASSWORD, new_password: NEW_PASSWORD },
  ],
  'password reset': async ({ id }, context) => {
    const token = resetToken(context, (await context.users.findById(id)) as User);
    return ['POST', '/v1/password/reset', { token, password: NEW_PASSWORD }];
  },
  'user disabled': ({ id }) => ['PATCH', `/v1/users/${id}`, { status: 'disabled' }, 'root'],
  'user deleted': ({ id }) => ['DELETE', `/v1/users/${id}`, undefined, 'root'],
  'role removed': ({ id }) => ['PATCH', `/v1/users/${id}`, { roles: [] }, 'root'],
  'global token revocation': ({ id }) => [
    'POST',
    '/v1/global-token-revocation',
    { sub_id: { format: 'opaque', id } },
    'program',
  ],
};

/** One of two nodes on one database. */
async function startNode(issuer: string, folder: string) {
  const config = readConfig({
    ISSUER: issuer,
    DATABASE_URL: `file:${join(folder, 'feed.db')}`,
    MAIL_URL: `file:${join(folder, 'mail')}`,
    SIGNING_KEYS: keysFor('ES256'),
    RATE_LIMIT: 'off',
    AUTH_RATE_LIMIT: 'off',
    LOG_LEVEL: 'silent',
  });
  const logger = pino({ level: 'silent' });
  const context = await buildContext(config, { logger });
  const app = await buildApp(context, { logger });
  const unfollow = context.revocationFeed.follow(POLL_EVERY, () => {});
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

interface Follower {
  name: string;
  /** Whether it accepts the token. Throws if it refuses it for another reason than that it was revoked. */
  accepts(token: string): Promise<boolean>;
  stop(): Promise<void> | void;
}

/** Of what a verifier in this process says. */
const acceptance = (verifying: Promise<unknown>, isRevoked: (error: unknown) => boolean) =>
  verifying.then(
    () => true,
    (error) => {
      if (isRevoked(error)) return false;
      throw error;
    },
  );

/** A recipe in a process of its own; undefined where its library is not installed. */
async function debianFollower(
  recipe: DebianRecipe,
  issuer: string,
  folder: string,
): Promise<Follower | undefined> {
  if (!(await isInstalled(recipe.library))) return undefined;
  const cwd = join(folder, recipe.file);
  mkdirSync(cwd);
  build(recipe, cwd);
  const { listen, follow, verify, stop } = start(recipe, { cwd, issuer });
  const heard = await listen();
  if (heard !== 'heard') throw new Error(`${recipe.file}: ${heard}`);
  await follow();
  const accepts = async (token: string) => {
    const answer = await verify(token);
    if (answer.startsWith('sub ')) return true;
    if (answer === 'refused revoked') return false;
    throw new Error(`${recipe.file}: ${answer}`);
  };
  return { name: `the recipe ${recipe.file}`, accepts, stop };
}

/** Of other services: each asks this issuer for the list again and again. */
async function startFollowers(
  issuer: string,
  folder: string,
  say: Bench['say'],
): Promise<Follower[]> {
  const own = createVerifier({ issuer });
  const jose = await joseRecipe(issuer);
  const followers: Follower[] = [
    {
      name: 'latchkey/verify',
      accepts: (token) =>
        acceptance(own.verify(token), (error) => (error as TokenError).code === 'token_revoked'),
      stop: own.close,
    },
    {
      name: 'the recipe with jose',
      accepts: (token) =>
        acceptance(jose.verify(token), (error) => (error as Error).message === 'revoked'),
      stop: jose.close,
    },
  ];
  for (const recipe of debianRecipes) {
    const follower = await debianFollower(recipe, issuer, folder);
    if (follower) followers.push(follower);
    else say(`${recipe.library.row} is not installed here: ${recipe.file} was left out.`);
  }
  return followers;
}

/** Sessions end at one node; verifiers of other services follow the other one. How long until they refuse the token. */
export async function feed({ progress, say }: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const asked = await startNode(issuer, folder);
  const writes = await startNode(issuer, folder);
  await asked.app.listen({ host: '127.0.0.1', port });
  const followers = await startFollowers(issuer, folder, say);
  const times = new Map(followers.map(({ name }) => [name, [] as number[]]));
  const root = await admin(writes);
  const program = newServiceAccount({ name: 'soc', roles: ['sessions:revoke'] }, Date.now());
  await writes.context.users.insert(program.account);
  const by = {
    root: root.access_token,
    program: issueForServiceAccount(writes.context, program.account, {}).access_token,
  };

  const untilRefused = async ({ name, accepts }: Follower, token: string) => {
    const begin = performance.now();
    while (await accepts(token)) {
      if (performance.now() - begin > GIVE_UP) throw new Error(`${name} accepts a revoked token`);
      await sleep(20);
    }
    times.get(name)?.push(performance.now() - begin);
  };
  const revoke = async (user: SignedIn, [method, url, payload, who]: Change) => {
    for (const { name, accepts } of followers)
      if (!(await accepts(user.access_token))) throw new Error(`${name} refuses a valid token`);
    const headers = {
      host: `127.0.0.1:${port}`,
      authorization: `Bearer ${who ? by[who] : user.access_token}`,
    };
    const request = { method: method as 'GET', url, headers, ...(payload && { payload }) };
    const { statusCode, payload: text } = await writes.app.inject(request);
    if (statusCode >= 300) throw new Error(`${method} ${url}: ${statusCode} ${text}`);
    await Promise.all(followers.map((follower) => untilRefused(follower, user.access_token)));
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
      await Promise.all(
        users.map(async (user) => {
          // At any time between two polls, not just after one.
          await sleep(Math.random() * POLL_EVERY);
          await revoke(user, await changeOf(user, writes.context));
        }),
      );
    }
  }
  // One that waits for news stops when its node does.
  const stopping = followers.map(({ stop }) => stop());
  await writes.stop();
  await asked.stop();
  await Promise.all(stopping);
  rmSync(folder, { recursive: true, force: true });

  const rows = [...times].map(([name, found]) => {
    const sorted = found.toSorted((a, b) => a - b);
    const at = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    say(
      `${name}: median ${Math.round(at(0.5))} ms, p99 ${Math.round(at(0.99))} ms, longest ${Math.round(at(1))} ms`,
    );
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
