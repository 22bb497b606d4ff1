import { Writable } from 'node:stream';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import type { Test } from 'tap';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { buildContext, type Context, type Pace } from '../src/context.ts';
import type { App } from '../src/http/app-type.ts';
import { newMasterSecret, newSigningKey } from '../src/parts/keys/new-keys.ts';
import { PasswordStrength } from '../src/parts/passwords/password-strength.ts';
import type { Database } from '../src/parts/storage/database.ts';
import type { PrivateJwk, SigningAlgorithm } from '../src/schemas/jwk.ts';
import { violation } from './contract.ts';
import { follow } from './mailbox.ts';

export const PASSWORD = 'correct horse battery staple';

/** A private JWK set as `SIGNING_KEYS` takes it. */
export const keySet = (...keys: PrivateJwk[]) => JSON.stringify({ keys });

const madeKeys = new Map<SigningAlgorithm, string>();

/** Keys of this process, made once for each algorithm. */
export function keysFor(alg: SigningAlgorithm): string {
  const made = madeKeys.get(alg) ?? keySet(newSigningKey(alg, 0), newMasterSecret(0));
  madeKeys.set(alg, made);
  return made;
}

/** Its thread takes long to start: once in a process is enough. */
const passwordStrength = new PasswordStrength();

/** Hashes that cost next to nothing, answers and letters that go out at once: for tests that are about something else. */
const QUICK: Pace = {
  hashCost: { memory: 8, passes: 1 },
  answerFloor: 0,
  mailWaits: [1, 1_000, 10_000, 60_000],
};

/** A clock that stands until it is told to move. Setting `now` alone is what a wrong clock does. */
export class TestClock {
  now = Date.UTC(2026, 10, 23, 18, 0, 0);
  uptime = 0;
  advance(milliseconds: number) {
    this.now += milliseconds;
    this.uptime += milliseconds;
  }
}

export interface Tokens {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
  refresh_after: number;
  session_id: string;
  device_token: string;
}

export interface TestApp {
  app: App;
  context: Context;
  clock: TestClock;
  /** Every line that was logged, parsed. */
  logs: Record<string, unknown>[];
  /** The events among them, in order. */
  events(): string[];
  /** Sends a request, and fails the test on an answer that the document does not declare. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
  post(
    url: string,
    payload?: object,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
  /** With the access token. */
  as(token: string, request: InjectOptions): Promise<LightMyRequestResponse>;
  /** Makes an account and signs it in. */
  signUp(email?: string): Promise<Tokens>;
  login(email?: string, password?: string): Promise<LightMyRequestResponse>;
  refresh(token: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
}

export interface Options {
  env?: Record<string, string>;
  database?: Database;
  clock?: TestClock;
  /** `real`: hashes and waits as in production; so does one that sets what a hash costs. */
  pace?: 'real';
}

/** The real service on SQLite in memory (or on `database`), with a clock of the test's own. Closed when the test ends. */
export async function testApp(t: Test, options: Options = {}): Promise<TestApp> {
  const clock = options.clock ?? new TestClock();
  const config = readConfig({
    DATABASE_URL: 'file::memory:',
    SIGNING_KEYS: keysFor('ES256'),
    RATE_LIMIT: 'off',
    AUTH_RATE_LIMIT: 'off',
    // Tests count letters, and few are about these.
    SIGN_IN_LETTERS: 'false',
    ...options.env,
  });
  const isReal =
    options.pace === 'real' || ['HASH_MEMORY', 'HASH_PASSES'].some((name) => options.env?.[name]);
  const logs: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      logs.push(JSON.parse(String(line)));
      done();
    },
  });
  const logger = pino({ level: config.LOG_LEVEL }, sink);
  const context = await buildContext(config, {
    logger,
    clock: () => clock.now,
    uptime: () => clock.uptime,
    ...(options.database && { database: options.database }),
    ...(!isReal && { pace: QUICK }),
  });
  context.passwordStrength = passwordStrength;
  follow(config.MAIL_URL, context.outbox);
  const app = await buildApp(context, { logger });
  await app.ready();
  t.teardown(async () => {
    await app.close();
    if (!options.database) await context.close();
  });

  const inject: TestApp['inject'] = async (request) => {
    const answer = await app.inject(request);
    const undeclared = violation(request, answer);
    if (undeclared !== undefined) t.fail(undeclared);
    return answer;
  };
  const post: TestApp['post'] = (url, payload, headers = {}) =>
    inject({ method: 'POST', url, headers, ...(payload && { payload }) });

  return {
    app,
    context,
    clock,
    logs,
    events: () => logs.flatMap(({ event }) => (typeof event === 'string' ? [event] : [])),
    inject,
    post,
    as: (token, request) =>
      inject({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }),
    signUp: async (email = 'ada@example.com') => {
      const answer = await post('/v1/register', { email, password: PASSWORD });
      t.equal(answer.statusCode, 201, 'signed up');
      return answer.json<Tokens>();
    },
    login: (email = 'ada@example.com', password = PASSWORD) =>
      post('/v1/login', { email, password }),
    refresh: (refresh_token, headers) => post('/v1/refresh', { refresh_token }, headers),
  };
}
