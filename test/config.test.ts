import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { variables } from '../src/config/environment.ts';
import { shareOf } from '../src/config/share.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { hasOpenLine, placeOf } from '../src/schemas/connection-url.ts';
import { folder } from './databases.ts';
import { keysFor } from './test-app.ts';

const DAY = 86_400_000;

const messageOf = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
};

t.test('in development every variable has a default', async (t) => {
  const config = readConfig({});
  t.match(config, {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: 3000,
    ISSUER: 'http://localhost:3000',
    AUDIENCE: 'http://localhost:3000',
    APP_URL: 'http://localhost:3000',
    WORKERS: 1,
    DATABASE_URL: 'file:data/latchkey.db',
    DATABASE_POOL: 10,
    SIGNING_KEYS: 'data/keys.json',
    SIGNING_ALG: 'ES256',
    SIGN_UP: 'open',
    CORS_ORIGINS: [],
    TRUST_PROXY: [],
    RATE_LIMIT: { count: 600, window: 60_000 },
    AUTH_RATE_LIMIT: { count: 30, window: 60_000 },
    PASSWORD_MIN_LENGTH: 15,
    HASH_MEMORY: 19_456,
    HASH_PASSES: 2,
    HASH_CONCURRENCY: availableParallelism(),
    HASH_QUEUE: 100,
    SESSION_IDLE: 14 * DAY,
    SESSION_MAX: 30 * DAY,
    MAX_SESSIONS: 10,
    REFRESH_GRACE: 30_000,
    LOG_LEVEL: 'info',
    SHUTDOWN_DELAY: 0,
  });
  t.throws(() => Object.assign(config, { PORT: 1 }), TypeError);
  t.same(
    readConfig(Object.fromEntries(variables.map(({ name }) => [name, '']))),
    config,
    'an empty variable counts as unset',
  );
});

t.test('other defaults come from the issuer, and the issuer from the port', async (t) => {
  t.match(readConfig({ PORT: '8080' }), {
    ISSUER: 'http://localhost:8080',
    APP_URL: 'http://localhost:8080',
  });
  const ISSUER = 'https://id.example.com/a';
  t.match(readConfig({ ISSUER }), { AUDIENCE: ISSUER, APP_URL: ISSUER });
  t.match(readConfig({ ISSUER, AUDIENCE: 'api', APP_URL: 'https://app.example.com' }), {
    AUDIENCE: 'api',
    APP_URL: 'https://app.example.com',
  });
});

t.test('each value is read in its own units', async (t) => {
  const config = readConfig({
    CORS_ORIGINS: 'https://a.example.com, http://localhost:5173,',
    AUDIENCES: 'https://a.example.com/v1?x=1, urn:example:b',
    TRUST_PROXY: '10.0.0.0/8,::1',
    RATE_LIMIT: '10/30s',
    AUTH_RATE_LIMIT: '5/h',
    SESSION_IDLE: '90m',
    SESSION_MAX: '24h',
    REFRESH_GRACE: '500ms',
    DATABASE_URL: 'postgresql://a@b/c',
  });
  t.match(config, {
    AUDIENCES: ['https://a.example.com/v1?x=1', 'urn:example:b'],
    CORS_ORIGINS: ['https://a.example.com', 'http://localhost:5173'],
    TRUST_PROXY: ['10.0.0.0/8', '::1'],
    RATE_LIMIT: { count: 10, window: 30_000 },
    AUTH_RATE_LIMIT: { count: 5, window: 3_600_000 },
    SESSION_IDLE: 5_400_000,
    SESSION_MAX: DAY,
    REFRESH_GRACE: 500,
  });
  t.equal(readConfig({ RATE_LIMIT: 'off' }).RATE_LIMIT, undefined);
});

const bad: Record<string, string[]> = {
  NODE_ENV: ['test', 'Production'],
  PORT: ['http', '-1', '65536', '3000.5', '1e3', '0x10'],
  ISSUER: [
    'canary',
    'ftp://canary',
    'https://canary/',
    'https://canary?x',
    'https://canary#x',
    'https://',
    'https://canary/a//b',
    'https://canary/a/../b',
    'https://canary/.',
    'https://canary/:id',
    'https://canary/a*',
    'https://canary/%61',
    'https://canary/(a)',
  ],
  APP_URL: ['canary', 'javascript:canary', 'https://canary/'],
  PASSKEY_RP_ID: ['https://canary', 'canary:3000', 'Canary', 'canary/path', 'canary example'],
  PRODUCT_NAME: [
    ' ',
    '::&',
    'canary\nx',
    'canary\u2028x',
    'canary\u0000',
    'canary\u202ex',
    'canary'.repeat(11),
  ],
  PRODUCT_COLOR: ['canary', '#canary', '#12', '#1234567', '3b5bdb', '#3b5bdb;}'],
  DATABASE_URL: ['canary', 'mysql://canary', 'file:', 'postgres://'],
  DATABASE_POOL: ['0', '1001'],
  SIGNING_ALG: ['none', 'RS1', 'es256', 'HS512'],
  SIGN_UP: ['yes', 'Open'],
  ALLOW_OPEN_SIGN_UP: ['1', 'yes'],
  AUDIENCES: [
    'canary',
    '/canary',
    'https://canary#part',
    'https://canary#',
    'https://canary/a b',
    'https://canary/\u0436',
    'https://',
    ':canary',
    `https://canary/${'x'.repeat(86)}`,
    Array.from({ length: 21 }, (_, n) => `urn:canary:${n}`).join(),
  ],
  CORS_ORIGINS: ['*', 'canary', 'https://canary/', 'https://canary,*', 'null'],
  TRUST_PROXY: [
    'true',
    'canary',
    '1.2.3.4;5.6.7.8',
    '10',
    'dead',
    '999.1.1.1',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
  ],
  RATE_LIMIT: ['0/1m', '5/0s', '600', '600/1y', '-1/1m', 'none'],
  AUTH_RATE_LIMIT: ['0/1m', 'on'],
  PASSWORD_MIN_LENGTH: ['7', '65', 'canary'],
  HASH_MEMORY: ['19455', 'NaN', 'Infinity'],
  HASH_PASSES: ['1', '65'],
  HASH_CONCURRENCY: ['0'],
  HASH_QUEUE: ['-1'],
  SESSION_IDLE: ['14', '59m', '366d', '31d', 'Infinity'],
  SESSION_MAX: ['30', '1y', '0h'],
  MAX_SESSIONS: ['0', '101'],
  REFRESH_GRACE: ['61s', '30', '-1s'],
  LOG_LEVEL: ['loud'],
  SHUTDOWN_DELAY: ['5', '11m', '-1s', 'canary'],
  DATABASE_CA: ['canary.pem'],
  TLS_CERT: ['canary.pem'],
  TLS_KEY: ['canary.pem'],
};
for (const [name, values] of Object.entries(bad)) {
  t.test(`a bad ${name} is named, and its value is not shown`, async (t) => {
    for (const value of values) {
      const message = messageOf({ [name]: value });
      const shown = encodeURI(value);
      t.match(message, /^The configuration has a mistake:\n {2}/, shown);
      t.match(message, name, shown);
      t.notMatch(message, 'canary');
      t.notMatch(message, /Invalid|expected|Too (small|big)/, 'in our own words');
    }
  });
}

t.test('the sender is named after the product, unless MAIL_FROM has a name', async (t) => {
  for (const [env, from] of [
    [{}, '"Latchkey" <no-reply@localhost>'],
    [{ PRODUCT_NAME: 'A "B", C: D\\' }, '"A \\"B\\", C: D\\\\" <no-reply@localhost>'],
    [{ PRODUCT_NAME: 'Acme', MAIL_FROM: ' id@example.com' }, '"Acme" <id@example.com>'],
    [{ PRODUCT_NAME: 'Acme', MAIL_FROM: 'Us <id@example.com>' }, 'Us <id@example.com>'],
  ] as const)
    t.equal(readConfig(env).MAIL_FROM, from);
});

t.test('an origin that no browser sends is refused, with how to correct it', async (t) => {
  for (const [value, told] of Object.entries({
    '*': /must not be \*: list each origin, such as https:\/\/app\.example\.com/,
    null: /every sandboxed page sends/,
    'https://*.example.com': /has a \*, which no browser sends: list each origin/,
    'https://app.example.com/': /must not have a slash at the end/,
    'https://app.example.com/x': /origins alone/,
    'https://app.example.com?x': /origins alone/,
    'https://ada@app.example.com': /origins alone/,
    'https://App.example.com': /in lower case/,
    'HTTPS://app.example.com': /in lower case/,
    'https://app.example.com:443': /without :443/,
    'http://app.example.com:80': /:80 after http/,
    'app.example.com': /such as https:\/\/app\.example\.com/,
    'capacitor://localhost': /such as https:\/\/app\.example\.com/,
    'https://b\u00fccher.example': /the host in ASCII/,
    'https://a b': /the host in ASCII/,
    'http://[0::1]:5173': /shortened and in brackets/,
    'https://a.example.com:08443': /without leading zeros/,
  })) {
    t.match(messageOf({ CORS_ORIGINS: value }), told, value);
    t.match(messageOf({ CORS_ORIGINS: `https://a.example.com,${value}` }), told, value);
  }
  for (const name of ['ISSUER', 'APP_URL'])
    t.match(
      messageOf({ [name]: 'https://*.example.com' }),
      name,
      'such a host does not exist either',
    );
  for (const value of [
    'https://a.example.com:8443',
    'http://[::1]:5173',
    'https://xn--bcher-kva.example',
  ])
    t.equal(messageOf({ CORS_ORIGINS: value }), 'accepted', value);
});

t.test('a database may be named by its socket, or by several hosts', async (t) => {
  for (const DATABASE_URL of [
    'postgres://ada:pa,ss@host/name',
    'postgres:///name?host=/var/run/postgresql',
    'postgres://ada:secret@/name?host=/var/run/postgresql',
    'postgres://ada@%2Fvar%2Frun%2Fpostgresql/name',
    'postgres://a,b/name',
    'postgres://ada:x@a:1,[::1]:2,c/name?target_session_attrs=read-write',
  ])
    t.equal(messageOf({ DATABASE_URL }), 'accepted', DATABASE_URL);
  for (const hosts of ['a,', ',a', 'a,,b'])
    t.match(
      messageOf({ DATABASE_URL: `postgres://ada:x@${hosts}/name` }),
      'DATABASE_URL must have a host on both sides of each comma',
      hosts,
    );
  t.match(
    messageOf({ DATABASE_URL: 'postgres:///name?host=a,b' }),
    'DATABASE_URL must list several hosts before the name of the database',
  );
});

t.test('the parameters of a database URL are checked before anything connects', async (t) => {
  const url = (parameters: string) => `postgres://ada@db.example.com/name?${parameters}`;
  for (const parameters of [
    'sslmode=disable',
    'sslmode=no-verify',
    'sslmode=require',
    'sslmode=verify-full',
    'sslmode=verify-full&sslcert=a.pem&sslkey=b.pem',
    'target_session_attrs=any',
    'target_session_attrs=primary&application_name=latchkey',
  ])
    t.equal(messageOf({ DATABASE_URL: url(parameters) }), 'accepted', parameters);
  const refused = {
    'sslmode=prefer': /an attacker on the network can turn TLS off/,
    'sslmode=allow': /must have sslmode=disable, no-verify, require, verify-ca or verify-full/,
    'sslmode=': /must have sslmode/,
    'ssl=true': /sslmode=verify-full or sslmode=disable instead of ssl/,
    'sslrootcert=ca.pem': /name the file in DATABASE_CA/,
    'sslcert=a.pem&sslkey=b.pem': /sslmode=verify-full and sslkey with sslcert/,
    'sslmode=require&sslcert=a.pem': /sslkey with sslcert/,
    'target_session_attrs=standby': /every node writes/,
  };
  for (const [parameters, says] of Object.entries(refused))
    t.match(messageOf({ DATABASE_URL: url(parameters) }), says, parameters);
});

t.test('DATABASE_CA goes with an sslmode that checks certificates', async (t) => {
  const DATABASE_CA = 'package.json';
  for (const mode of ['require', 'verify-ca', 'verify-full'])
    t.equal(
      messageOf({ DATABASE_CA, DATABASE_URL: `postgres://a/name?sslmode=${mode}` }),
      'accepted',
    );
  for (const DATABASE_URL of [
    'file:a.db',
    'postgres://a/name',
    'postgres://a/name?sslmode=disable',
    'postgres://a/name?sslmode=no-verify',
  ])
    t.match(messageOf({ DATABASE_CA, DATABASE_URL }), 'DATABASE_CA needs sslmode=verify-full');
  t.match(
    messageOf({ DATABASE_URL: 'postgres://a/name?sslmode=verify-ca' }),
    'DATABASE_CA must be set with sslmode=verify-ca',
  );
});

t.test('a connection that leaves the machine should say whether it is encrypted', async (t) => {
  for (const url of [
    'postgres://localhost/name',
    'postgres://ada@127.0.0.1:5433/name',
    'postgres://[::1]/name',
    'postgres:///name?host=/var/run/postgresql',
    'postgres://db.example.com/name?sslmode=disable',
  ])
    t.notOk(hasOpenLine(url), url);
  for (const url of ['postgres://db.example.com/name', 'postgres://localhost,b/name'])
    t.ok(hasOpenLine(url), url);
});

t.test('a missing key file must end in .json, an existing one need not', async (t) => {
  const kept = join(folder(t), 'keys');
  t.match(messageOf({ SIGNING_KEYS: kept }), 'only if its name ends in .json');
  writeFileSync(kept, '{}');
  t.equal(messageOf({ SIGNING_KEYS: kept }), 'accepted');
  t.equal(messageOf({ SIGNING_KEYS: `${kept}.json` }), 'accepted');
  t.equal(messageOf({ SIGNING_KEYS: '{\n"keys": []\n}\n' }), 'accepted');
});

t.test('passkeys belong to the host of the pages, or to a parent of it', async (t) => {
  const APP_URL = 'https://app.example.com';
  t.match(readConfig({ APP_URL }), { PASSKEY_RP_ID: 'app.example.com' });
  t.match(readConfig({}), { PASSKEY_RP_ID: 'localhost' });
  for (const PASSKEY_RP_ID of ['app.example.com', 'example.com'])
    t.equal(messageOf({ APP_URL, PASSKEY_RP_ID }), 'accepted');
  for (const PASSKEY_RP_ID of ['id.example.com', 'xample.com', 'p.example.com'])
    t.match(messageOf({ APP_URL, PASSKEY_RP_ID }), 'PASSKEY_RP_ID must be the host of APP_URL');
});

t.test('all mistakes are reported at once', async (t) => {
  const message = messageOf({ PORT: 'x', HASH_PASSES: '1', SESSION_MAX: 'x' });
  t.match(
    message,
    /^The configuration has 3 mistakes:\n {2}PORT .*\n {2}HASH_PASSES .*\n {2}SESSION_MAX .*$/,
  );
});

const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.com',
  SIGNING_KEYS: keysFor('ES256'),
  MAIL_URL: 'smtps://mail.example.com',
};

t.test(
  'production accepts an https issuer with its own keys, and verifies addresses by default',
  async (t) => {
    t.match(readConfig(production), {
      SIGN_UP: 'verified',
      APP_URL: 'https://id.example.com',
      SHUTDOWN_DELAY: 5_000,
    });
    t.equal(readConfig({ ...production, SHUTDOWN_DELAY: '0s' }).SHUTDOWN_DELAY, 0);
  },
);

const unsafe: [Record<string, string>, string][] = [
  [{ ISSUER: 'http://id.example.com', APP_URL: 'https://app.example.com' }, 'ISSUER'],
  [{ APP_URL: 'http://app.example.com' }, 'APP_URL'],
  [{ SIGN_UP: 'open' }, 'ALLOW_OPEN_SIGN_UP'],
  [{ SIGN_UP: 'open', ALLOW_OPEN_SIGN_UP: 'false' }, 'ALLOW_OPEN_SIGN_UP'],
  [{ MAIL_URL: 'file:data/mail' }, 'MAIL_URL'],
  [{ SIGNING_KEYS: '' }, 'SIGNING_KEYS'],
  [{ SIGNING_KEYS: 'nowhere/keys.json' }, 'SIGNING_KEYS'],
];
for (const [change, name] of unsafe) {
  t.test(`production refuses ${JSON.stringify(change)}, development does not`, async (t) => {
    const message = messageOf({ ...production, ...change });
    t.match(message, /^The configuration has a mistake:/);
    t.match(message, name);
    t.equal(messageOf({ ...production, ...change, NODE_ENV: 'development' }), 'accepted');
  });
}

t.test('concurrent hashes must fit into half of the memory of the container', async (t) => {
  const env = { HASH_CONCURRENCY: '4', HASH_MEMORY: '65536' };
  const memoryOf = (memoryLimit: number | undefined) => {
    try {
      return readConfig(env, { memoryLimit }).HASH_MEMORY;
    } catch (error) {
      return error instanceof ConfigError ? error.message : error;
    }
  };
  const MB = 1_048_576;
  t.equal(memoryOf(undefined), 65_536, 'the limit is unknown');
  t.equal(memoryOf(512 * MB), 65_536);
  t.equal(
    memoryOf(512 * MB - 1),
    'The configuration has a mistake:\n  HASH_CONCURRENCY times HASH_MEMORY is 256 MB, more than half of the 512 MB that this container has',
  );
  t.match(memoryOf(64 * MB), /is 256 MB, more than half of the 64 MB/);
});

t.test('each worker hashes at least one password at a time, and that counts too', async (t) => {
  const env = { HASH_CONCURRENCY: '2', HASH_MEMORY: '65536', WORKERS: '4' };
  const memoryLimit = 512 * 1_048_576;
  t.equal(readConfig(env, { memoryLimit }).WORKERS, 4);
  t.throws(() => readConfig({ ...env, WORKERS: '5' }, { memoryLimit }), {
    message: /WORKERS times HASH_MEMORY is 320 MB, more than half of the 512 MB/,
  });
});

t.test('WORKERS is a number, or as many as there are processors', async (t) => {
  t.equal(readConfig({ WORKERS: '256' }).WORKERS, 256);
  t.equal(readConfig({ WORKERS: 'auto' }).WORKERS, availableParallelism());
  for (const WORKERS of ['0', '257', '1000', '-1', '2.5', 'AUTO', 'all']) {
    t.match(
      messageOf({ WORKERS }),
      'WORKERS must be auto, or a whole number from 1 to 256',
      WORKERS,
    );
  }
  t.match(
    messageOf({ WORKERS: '2', DATABASE_URL: 'file::memory:' }),
    'WORKERS must be 1 with file::memory:, which only one process can see',
  );
});

t.test('the settings describe the node: each worker gets its part', async (t) => {
  const env = { WORKERS: '4', HASH_CONCURRENCY: '6', HASH_QUEUE: '10', DATABASE_POOL: '10' };
  const config = readConfig(env);
  t.same(shareOf(config), { ...config, HASH_CONCURRENCY: 1, HASH_QUEUE: 3, DATABASE_POOL: 3 });
  const few = readConfig({ WORKERS: '4', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' });
  t.match(shareOf(few), { HASH_CONCURRENCY: 1, HASH_QUEUE: 0 });
  const alone = readConfig({});
  t.same(shareOf(alone), alone);
});

t.test('open sign-up in production must be allowed explicitly', async (t) => {
  const config = readConfig({ ...production, SIGN_UP: 'open', ALLOW_OPEN_SIGN_UP: 'true' });
  t.equal(config.SIGN_UP, 'open');
});

t.test('a certificate and its key must both be set, and exist', async (t) => {
  t.match(messageOf({ TLS_CERT: 'package.json' }), 'TLS_CERT and TLS_KEY must be set together');
  t.match(messageOf({ TLS_KEY: 'package.json' }), 'TLS_CERT and TLS_KEY must be set together');
  t.match(messageOf({ TLS_CERT: join(folder(t), 'none'), TLS_KEY: 'package.json' }), 'TLS_CERT');
  t.equal(messageOf({ TLS_CERT: 'package.json', TLS_KEY: 'package.json' }), 'accepted');
});

t.test('every variable has a description and a default', async (t) => {
  for (const { name, fallback, meaning } of variables) {
    t.match(name, /^[A-Z][A-Z0-9_]+$/);
    t.ok(fallback.length > 0 && meaning.length > 5, name);
  }
});

t.test('logs name the database without user and password', async (t) => {
  const places = {
    'file:data/latchkey.db': 'file:data/latchkey.db',
    'postgres://ada:secret@db.example.com/name': 'postgres://db.example.com:5432/name',
    'postgres://ada:secret@db.example.com:6432/name': 'postgres://db.example.com:6432/name',
    'postgres://ada:x@a:1,b/name': 'postgres://a:1,b:5432/name',
    'postgres:///name': 'postgres://localhost:5432/name',
    'postgres://ada@/name?host=/var/run/postgresql': 'postgres:///var/run/postgresql/name',
  };
  for (const [url, place] of Object.entries(places)) t.equal(placeOf(url), place);
});

t.test('the slots of outside providers are whole, and every mistake is named', async (t) => {
  const slot = { OIDC_1_ISSUER: 'https://id.example.com', OIDC_1_CLIENT_ID: 'latchkey' };
  const microsoft = 'https://login.microsoftonline.com';
  const mistakes: [Record<string, string>, string][] = [
    [{ ...slot, OIDC_1_CLIENT_ID: '' }, 'OIDC_1_ISSUER needs OIDC_1_CLIENT_ID'],
    [
      { ...slot, NODE_ENV: 'production', OIDC_1_ISSUER: 'http://id.example.com' },
      'OIDC_1_ISSUER must be https in production',
    ],
    [{ OIDC_3_NAME: 'Google' }, 'OIDC_3_NAME needs OIDC_3_ISSUER'],
    [{ OIDC_3_ID_TOKEN_AUDIENCES: 'x' }, 'OIDC_3_ID_TOKEN_AUDIENCES needs OIDC_3_ISSUER'],
    [{ ...slot, OIDC_1_SCOPES: 'email' }, 'OIDC_1_SCOPES must contain openid'],
    [{ ...slot, OIDC_1_SCOPES: 'openid  email' }, 'OIDC_1_SCOPES must be scopes'],
    [{ ...slot, OIDC_1_NAME: '\u202e' }, 'OIDC_1_NAME must have'],
    [{ ...slot, OIDC_1_ISSUER: 'https://id.example.com?a' }, 'OIDC_1_ISSUER must be'],
    [{ ...slot, OIDC_1_ISSUER: 'https://id.example.com#a' }, 'OIDC_1_ISSUER must be'],
    [{ ...slot, OIDC_1_ISSUER: 'https://user@id.example.com' }, 'OIDC_1_ISSUER must be'],
    [{ ...slot, OIDC_1_ISSUER: `${microsoft}/common/v2.0` }, 'OIDC_1_ISSUER must name one tenant'],
    [
      { ...slot, OIDC_2_ISSUER: 'https://id.example.com', OIDC_2_CLIENT_ID: 'x' },
      'OIDC_2_ISSUER must not be the issuer of another slot',
    ],
  ];
  for (const [env, message] of mistakes) t.match(messageOf(env), message);
  t.equal(messageOf(slot), 'accepted');
  t.equal(messageOf({ ...slot, OIDC_1_ISSUER: 'http://127.0.0.1:9/' }), 'accepted');
  t.same(readConfig(slot).PROVIDERS, [
    {
      slot: '1',
      issuer: 'https://id.example.com',
      name: 'id.example.com',
      clientId: 'latchkey',
      clientSecret: undefined,
      scopes: 'openid email profile',
      audiences: [],
    },
  ]);
  const whole = {
    OIDC_2_ISSUER: 'https://tenant.example.com/',
    OIDC_2_NAME: 'Tenant',
    OIDC_2_CLIENT_ID: 'id',
    OIDC_2_CLIENT_SECRET: 'secret',
    OIDC_2_SCOPES: 'email openid',
    OIDC_2_ID_TOKEN_AUDIENCES: 'a, b',
  };
  t.same(readConfig(whole).PROVIDERS, [
    {
      slot: '2',
      issuer: 'https://tenant.example.com/',
      name: 'Tenant',
      clientId: 'id',
      clientSecret: 'secret',
      scopes: 'email openid',
      audiences: ['a', 'b'],
    },
  ]);
});
