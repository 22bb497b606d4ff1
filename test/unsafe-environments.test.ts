import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { readConfig } from '../src/config.ts';
import { buildContext } from '../src/context.ts';
import { KeySetError } from '../src/parts/keys/key-set.ts';
import { folder, postgres } from './databases.ts';
import { launch } from './server.ts';
import { keySet, keysFor } from './test-app.ts';

const CANARY = 'CANARY5f2b9c';
const keys = JSON.parse(keysFor('ES256')) as { keys: Record<string, unknown>[] };
const [signing, master] = keys.keys;

const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.com',
  SIGNING_KEYS: keysFor('ES256'),
  MAIL_URL: 'smtp://127.0.0.1:1',
  DATABASE_URL: 'file::memory:',
};
const development = { DATABASE_URL: 'file::memory:' };

/** Unsafe environments, with the variable that must be named. */
const unsafe: [name: string, env: Record<string, string>][] = [
  ['NODE_ENV', { NODE_ENV: CANARY }],
  [
    'ISSUER',
    { ...production, ISSUER: `http://${CANARY}.example.com`, APP_URL: 'https://a.example' },
  ],
  ['ISSUER', { ISSUER: `https://user:${CANARY}@id.example.com` }],
  ['ISSUER', { ISSUER: `https://id.example.com/?${CANARY}` }],
  ['APP_URL', { ...production, APP_URL: `http://${CANARY}.example.com` }],
  ['APP_URL', { APP_URL: `https://${CANARY}@app.example.com` }],
  ['APP_URL', { APP_URL: `javascript:${CANARY}` }],
  ['ALLOW_OPEN_SIGN_UP', { ...production, SIGN_UP: 'open' }],
  ['MAIL_URL', { ...production, MAIL_URL: `file:${CANARY}` }],
  ['MAIL_URL', { MAIL_URL: `smtp://user:${CANARY}@host:port` }],
  ['MAIL_URL', { MAIL_URL: `smtp://user:${CANARY}#more@host` }],
  ['MAIL_URL', { MAIL_URL: `http://user:${CANARY}@host` }],
  ['MAIL_URL', { MAIL_URL: `smtp://user:${CANARY}@a:25,b:25` }],
  ['MAIL_URL', { MAIL_URL: `smtp://user:${CANARY}@a,b:25` }],
  ['REDIS_URL', { REDIS_URL: `redis://:${CANARY}@a:6379,b:6379` }],
  ['REDIS_URL', { REDIS_URL: `rediss://:${CANARY}@a,b:6379` }],
  ['REDIS_URL', { REDIS_URL: `redis://:${CANARY}%zz@host` }],
  ['REDIS_URL', { REDIS_URL: `http://:${CANARY}@host` }],
  ['DATABASE_URL', { DATABASE_URL: `postgres://user:${CANARY}@host:port/name` }],
  ['DATABASE_URL', { DATABASE_URL: `postgres://user:1#${CANARY}@host/name` }],
  ['DATABASE_URL', { DATABASE_URL: `postgres://user:${CANARY}%zz@host/name` }],
  ['DATABASE_URL', { DATABASE_URL: `mysql://user:${CANARY}@host/name` }],
  ['OIDC_1_ISSUER', { OIDC_1_ISSUER: `ftp://${CANARY}`, OIDC_1_CLIENT_ID: 'x' }],
  ['OIDC_2_ISSUER', { OIDC_2_CLIENT_SECRET: CANARY }],
  [
    'OIDC_4_ISSUER',
    { ...production, OIDC_4_ISSUER: `http://${CANARY}.example.com`, OIDC_4_CLIENT_ID: 'x' },
  ],
  ['SIGNING_KEYS', { ...production, SIGNING_KEYS: '' }],
  ['SIGNING_KEYS', { ...production, SIGNING_KEYS: `${CANARY}.json` }],
  ['SIGNING_KEYS', { ...production, SIGNING_KEYS: `{"keys":[{"k":"${CANARY}"` }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: `[{"k":"${CANARY.repeat(40)}"}]` }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: `/dev/null/${CANARY}.json` }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: `{"keys":[{"kty":"oct","k":"${CANARY}"}]}` }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: keySet({ ...signing, d: CANARY } as never) }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: keySet({ ...signing, alg: 'none' } as never) }],
  ['SIGNING_KEYS', { ...development, SIGNING_KEYS: keySet(master as never, master as never) }],
  [
    'SIGNING_KEYS',
    { SIGNING_KEYS: `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n` },
  ],
  ['SIGNING_KEYS', { SIGNING_KEYS: `-----BEGIN PRIVATE KEY-----\\n${CANARY}\\n` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `data/keys.json\n${CANARY}.json` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `"keys":[{"k":"${CANARY}"}].json` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `https://id.example.com/${CANARY}.json` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `file:${CANARY}.json` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg${CANARY}` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: Buffer.from(`{"keys":"${CANARY}"}`).toString('base64') }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `a password, ${CANARY}` }],
  ['SIGNING_KEYS', { SIGNING_KEYS: `${CANARY.repeat(400)}.json` }],
  ['DATABASE_URL', { DATABASE_URL: `file:-----BEGIN PRIVATE KEY-----${CANARY}` }],
  ['DATABASE_URL', { DATABASE_URL: `postgres://user:${CANARY}@/name?host=a%2Cb` }],
  ['DATABASE_URL', { DATABASE_URL: `postgres://user:${CANARY}@host/name\r` }],
  ['MAIL_URL', { MAIL_URL: `file:${CANARY}\n` }],
  ['MAIL_URL', { MAIL_URL: `file:{"password":"${CANARY}"}` }],
  ['AUDIENCE', { AUDIENCE: `${CANARY}\n` }],
  ['TLS_KEY', { TLS_CERT: 'package.json', TLS_KEY: `-----BEGIN PRIVATE KEY-----\n${CANARY}` }],
  ['TLS_CERT', { TLS_CERT: `-----BEGIN CERTIFICATE-----${CANARY}`, TLS_KEY: 'package.json' }],
  ['TRUST_PROXY', { TRUST_PROXY: 'true' }],
  ['TRUST_PROXY', { TRUST_PROXY: '0.0.0.0/0' }],
  ['TRUST_PROXY', { TRUST_PROXY: `10.0.0.0/8,${CANARY}` }],
  ['CORS_ORIGINS', { CORS_ORIGINS: '*' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: `https://${CANARY}.example.com/` }],
  ['HASH_MEMORY', { HASH_MEMORY: '4096' }],
  ['HASH_PASSES', { HASH_PASSES: '1' }],
  ['PASSWORD_MIN_LENGTH', { PASSWORD_MIN_LENGTH: '4' }],
  ['RATE_LIMIT', { RATE_LIMIT: '1e9' }],
  ['AUTH_RATE_LIMIT', { AUTH_RATE_LIMIT: CANARY }],
  ['SESSION_MAX', { SESSION_MAX: 'Infinity' }],
  ['METRICS_PORT', { PORT: '9464' }],
  ['TLS_CERT', { TLS_CERT: 'not-pem', TLS_KEY: 'not-pem' }],
  ['TLS_CERT', { TLS_CERT: '.', TLS_KEY: '.' }],
  ['TLS_CERT', { TLS_CERT: CANARY, TLS_KEY: CANARY }],
];

const logger = pino({ level: 'silent' });

/** The error message of a start, without a process. */
async function refusalOf(env: Record<string, string>): Promise<string> {
  try {
    const context = await buildContext(readConfig(env), { logger });
    await context.close();
  } catch (error) {
    const keys = error instanceof KeySetError ? '\n  SIGNING_KEYS ' : '';
    return `${keys}${(error as Error).message}`;
  }
  return 'accepted';
}

/** A few kinds, and those that only the start itself can detect, are started in a real process. */
const KINDS = ['NODE_ENV', 'ISSUER', 'MAIL_URL', 'DATABASE_URL', 'TRUST_PROXY', 'METRICS_PORT'];
const isReal = ([name, env]: (typeof unsafe)[number], index: number) =>
  name === 'TLS_CERT' ||
  env['SIGNING_KEYS']?.startsWith('[') ||
  env['SIGNING_KEYS']?.startsWith('---') ||
  (KINDS.includes(name) && unsafe.findIndex(([other]) => other === name) === index);

t.test('CFG-01 an unsafe setting is refused, and named without its value', async (t) => {
  for (const [name, env] of unsafe.filter((attempt, index) => !isReal(attempt, index))) {
    const message = await refusalOf(env);
    t.match(message, new RegExp(`\\n {2}.*${name}`), JSON.stringify(env).slice(0, 100));
    t.notMatch(message, CANARY);
  }
});

t.test(
  'CFG-01 an unsafe setting ends the process with 78, before anything is created',
  async (t) => {
    const attempts = unsafe.filter(isReal).map(([name, env]) => async () => {
      const cwd = folder(t);
      writeFileSync(join(cwd, 'not-pem'), CANARY);
      const ports = { PORT: '0', METRICS_PORT: name === 'METRICS_PORT' ? '9464' : '0' };
      const isMeasured = name === 'TLS_CERT' || name === 'METRICS_PORT';
      const ended = await launch(t, { cwd, env: { ...ports, ...env }, isMeasured }).ended;
      const what = `${name} ${JSON.stringify(env).slice(0, 100)}`;
      t.equal(ended.code, 78, what);
      t.same(ended.stdout, [], what);
      t.match(ended.stderr, name, what);
      t.notMatch(ended.stderr, CANARY, what);
      t.notMatch(ended.stderr, /^ +at /m, what);
    });
    // A few at a time: each is a process.
    const lanes = Array.from({ length: 3 }, async () => {
      for (let next = attempts.pop(); next !== undefined; next = attempts.pop()) await next();
    });
    await Promise.all(lanes);
  },
);

t.test(
  'CFG-01 LOG-01 passwords of the database and the mail server are never printed',
  async (t) => {
    const { create } = await postgres(t);
    const url = new URL(await create());
    url.password = CANARY;
    const faults: [RegExp, number, Record<string, string>][] = [
      [/refuses the user/, 78, { DATABASE_URL: url.href }],
      [/ECONNREFUSED/, 69, { DATABASE_URL: `postgres://user:${CANARY}@127.0.0.1:1/name` }],
    ];
    for (const [expected, exitCode, env] of faults) {
      const ports = { PORT: '0', METRICS_PORT: '0' };
      const { code, stdout, stderr } = await launch(t, {
        cwd: folder(t),
        env: { ...ports, ...env },
      }).ended;
      t.equal(code, exitCode);
      t.match(stderr, expected);
      t.notMatch(stderr + stdout.join('\n'), CANARY);
    }
    const env = {
      ...development,
      PORT: '0',
      METRICS_PORT: '0',
      MAIL_URL: `smtp://user:${CANARY}@127.0.0.1:1`,
    };
    const started = launch(t, { cwd: folder(t), env });
    await started.line(/sign-up/);
    started.child.kill('SIGTERM');
    const { code, stdout, stderr } = await started.ended;
    t.equal(code, 0);
    t.notMatch(stderr + stdout.join('\n'), CANARY);
  },
);
