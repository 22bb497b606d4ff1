import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildContext, type Context } from '../../src/context.ts';
import { newUserId } from '../../src/parts/ids.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import type { Passkey, User } from '../../src/schemas/user.ts';
import type { Registration } from '../../src/schemas/webauthn.ts';
import { SoftAuthenticator } from '../passkeys.ts';
import { areaUnderCurve, welch } from './statistics.ts';

/**
 * Whether a stranger can tell a known address from an unknown one by the time an answer takes. Asks in turn,
 * in random order and of three nodes, and compares each kind's times with the first's.
 */
const PASSWORD = 'correct horse battery staple';
const MAX_T = 4.5;
const MAX_AUC = 0.55;

interface Tools {
  /** The half of a code by mail that a browser would hold. */
  codeToken(email: string): string;
  /** The answer of the passkey that every known user has, or, with another `id`, of one that nobody has. */
  assertion(user: string, id?: string): object;
  /** The ID of a known user. */
  idOf(round: number): string;
}
type Ask = (round: number, tools: Tools) => { url: string; payload: object };

/** Its passkey is that of every known user, and another key signs for it. */
const authenticator = new SoftAuthenticator();
const { privateKey } = new SoftAuthenticator().keys;

const kinds: Record<string, Record<string, Ask>> = {
  login: {
    unknown: (round) => ({
      url: '/v1/login',
      payload: { email: `nobody${round}@example.com`, password: PASSWORD },
    }),
    'wrong password': (round) => ({
      url: '/v1/login',
      payload: { email: `known${round}@example.com`, password: `${PASSWORD}!` },
    }),
    disabled: (round) => ({
      url: '/v1/login',
      payload: { email: `disabled${round}@example.com`, password: PASSWORD },
    }),
    invited: (round) => ({
      url: '/v1/login',
      payload: { email: `invited${round}@example.com`, password: PASSWORD },
    }),
  },
  'login, throttled': {
    unknown: (round) => ({
      url: '/v1/login',
      payload: { email: `waits-nobody${round}@example.com`, password: PASSWORD },
    }),
    known: (round) => ({
      url: '/v1/login',
      payload: { email: `waits-known${round}@example.com`, password: PASSWORD },
    }),
  },
  forgot: {
    unknown: (round) => ({
      url: '/v1/password/forgot',
      payload: { email: `nobody${round}@example.com` },
    }),
    known: (round) => ({
      url: '/v1/password/forgot',
      payload: { email: `known${round}@example.com` },
    }),
    disabled: (round) => ({
      url: '/v1/password/forgot',
      payload: { email: `disabled${round}@example.com` },
    }),
  },
  code: {
    unknown: (round) => ({
      url: '/v1/login/code',
      payload: { email: `nobody${round}@example.com` },
    }),
    known: (round) => ({
      url: '/v1/login/code',
      payload: { email: `known${round}@example.com` },
    }),
    disabled: (round) => ({
      url: '/v1/login/code',
      payload: { email: `disabled${round}@example.com` },
    }),
  },
  'code, wrong': {
    unknown: (round, { codeToken }) => ({
      url: '/v1/login/code/verify',
      payload: { code_token: codeToken(`nobody${round}@example.com`), code: '00000000' },
    }),
    known: (round, { codeToken }) => ({
      url: '/v1/login/code/verify',
      payload: { code_token: codeToken(`known${round}@example.com`), code: '00000000' },
    }),
    disabled: (round, { codeToken }) => ({
      url: '/v1/login/code/verify',
      payload: { code_token: codeToken(`disabled${round}@example.com`), code: '00000000' },
    }),
  },
  'passkey, options': {
    unknown: (round) => ({
      url: '/v1/login/passkey/options',
      payload: { email: `nobody${round}@example.com` },
    }),
    known: (round) => ({
      url: '/v1/login/passkey/options',
      payload: { email: `known${round}@example.com` },
    }),
  },
  'passkey, refused': {
    'unknown user': (_round, { assertion }) => ({
      url: '/v1/login/passkey',
      payload: { passkey: assertion(newUserId(0)) },
    }),
    'unknown passkey': (round, { assertion, idOf }) => ({
      url: '/v1/login/passkey',
      payload: { passkey: assertion(idOf(round), 'AAAAAAAAAAAAAAAAAAAAAA') },
    }),
    'wrong signature': (round, { assertion, idOf }) => ({
      url: '/v1/login/passkey',
      payload: { passkey: assertion(idOf(round)) },
    }),
  },
  register: {
    unknown: (round) => ({ url: '/v1/register', payload: { email: `nobody${round}@example.com` } }),
    known: (round) => ({ url: '/v1/register', payload: { email: `known${round}@example.com` } }),
    disabled: (round) => ({
      url: '/v1/register',
      payload: { email: `disabled${round}@example.com` },
    }),
  },
};

export interface Comparison {
  route: string;
  kinds: string;
  t: number;
  auc: number;
}

/** Nodes that share one database, asked in turn: a known and an unknown address are counted alike on all of them, or not. */
const NODES = 3;

/** Applications over one database. Those of a later call are the same nodes after a restart. */
async function startNodes(env: Record<string, string>, now: number) {
  const config = readConfig(env);
  const logger = pino({ level: 'silent' });
  const contexts: Context[] = [];
  const apps: Awaited<ReturnType<typeof buildApp>>[] = [];
  for (let node = 0; node < NODES; node += 1) {
    const context = await buildContext(config, { logger, clock: () => now });
    const app = await buildApp(context, { logger });
    await app.ready();
    contexts.push(context);
    apps.push(app);
  }
  const stop = async () => {
    for (const app of apps) await app.close();
    for (const context of contexts) await context.close();
  };
  return { context: contexts[0] as Context, apps, stop };
}

/**
 * `rounds`: how often each kind is asked. Every round has users of its own, so that no throttle is met. The nodes restart
 * before each route.
 */
export async function compareTimes(rounds: number, database: string): Promise<Comparison[]> {
  const env = {
    DATABASE_URL: database,
    SIGNING_KEYS: JSON.stringify({ keys: [newSigningKey('ES256', 0), newMasterSecret(0)] }),
    RATE_LIMIT: 'off',
    AUTH_RATE_LIMIT: 'off',
    MAIL_URL: 'smtp://127.0.0.1:9',
  };
  // It stands: with many rounds those who have to wait would else have waited when it is their turn.
  const now = Date.now();
  const { context, stop } = await startNodes(env, now);
  const password_hash = await context.passwords.hash(PASSWORD);
  const challenge = { challenge: '', user: { id: '' } };
  const created = authenticator.create(challenge) as unknown as Registration;
  const made = await context.passkeys.verifyNew(created);
  if (made === undefined) throw new Error('the passkey was not made');
  const passkey = { ...made, transports: [], name: '', created_at: now, used: [] };
  const everybody = people(rounds, password_hash, passkey);
  const ids = everybody.filter(({ passkeys }) => passkeys.length > 0).map(({ id }) => id);
  // SQLite takes 32,766 values in one statement.
  while (everybody.length > 0) await context.users.insertMany(everybody.splice(0, 1_000));
  for (let round = 0; round < rounds; round += 1) await throttle(context, round);

  const iat = Math.floor(now / 1_000);
  const codeToken = (sub: string) =>
    context.ownTokens.issue('mail-code', { sub, jti: 'x', iat, exp: iat + 600 });
  const assertion = (user: string, id = authenticator.id) => {
    const token = context.ownTokens.issue('passkey', { sub: '*', jti: 'x', iat, exp: iat + 300 });
    const challenge = Buffer.from(token).toString('base64url');
    return authenticator.get({ challenge }, { user, id, signedBy: privateKey });
  };
  const tools = { codeToken, assertion, idOf: (round: number) => ids[round] as string };

  await stop();

  const comparisons: Comparison[] = [];
  for (const [route, asks] of Object.entries(kinds)) {
    const { apps, stop } = await startNodes(env, now);
    const times = new Map(Object.keys(asks).map((kind) => [kind, [] as number[]]));
    let turn = 0;
    for (let round = 0; round < rounds; round += 1) {
      const order = Object.entries(asks).sort(() => Math.random() - 0.5);
      for (const [kind, ask] of order) {
        turn += 1;
        const app = apps[turn % NODES];
        const request = ask(round, tools);
        const began = performance.now();
        await app?.inject({ method: 'POST', ...request });
        times.get(kind)?.push(performance.now() - began);
      }
    }
    await stop();
    const [[first, baseline], ...others] = [...times] as [
      [string, number[]],
      ...[string, number[]][],
    ];
    for (const [kind, sample] of others) {
      comparisons.push({
        route,
        kinds: `${first} / ${kind}`,
        t: welch(baseline, sample),
        auc: areaUnderCurve(baseline, sample),
      });
    }
  }
  return comparisons;
}

/** Uses up what one place has for an unknown address and for a known one. */
async function throttle({ guessing }: Context, round: number): Promise<void> {
  for (const kind of ['known', 'nobody']) {
    for (let turn = 0; turn < 5; turn += 1) {
      const subject = await guessing.subjectAt(`waits-${kind}${round}@example.com`);
      const place = { prefix: '127.0.0.1' };
      const guess = await guessing.enter(subject, {
        factor: 'password',
        place,
        signal: new AbortController().signal,
      });
      await guess.settle('wrong');
    }
  }
}

function people(rounds: number, password_hash: string, passkey: Passkey): User[] {
  const now = Date.now();
  const person = (email: string, passwordHash: string | null = password_hash) =>
    newPerson({ id: newUserId(0), email: `${email}@example.com`, name: null, passwordHash }, now);
  return Array.from({ length: rounds }, (_, round) => [
    { ...person(`known${round}`), passkeys: [passkey] },
    person(`waits-known${round}`),
    person(`invited${round}`, null),
    { ...person(`disabled${round}`), status: 'disabled' as const },
  ]).flat();
}

/** With 500 rounds chance alone seldom gets near either limit; with fewer, the area is off by as much now and then. */
export const leaks = ({ t, auc }: Comparison): boolean =>
  Math.abs(t) > MAX_T || Math.abs(auc - 0.5) > MAX_AUC - 0.5;
