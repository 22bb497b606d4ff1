import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { faultOfOrigin } from './config/origin.ts';
import { DatabaseUrl, MailUrl } from './schemas/connection-url.ts';
import { FileName, isFileName } from './schemas/file-name.ts';
import { SigningAlgorithm } from './schemas/jwk.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const milliseconds = (text: string): number => {
  const unit = text.replace(/^\d+/, '');
  return Number.parseInt(text, 10) * UNITS[unit as keyof typeof UNITS];
};

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, { error: 'must be a whole number' })
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** In milliseconds. */
const duration = (min: string, max: string) =>
  z
    .string()
    .regex(/^\d{1,7}(ms|s|m|h|d)$/, { error: 'must be a number with a unit: ms, s, m, h or d' })
    .transform(milliseconds)
    .refine((value) => value >= milliseconds(min) && value <= milliseconds(max), {
      error: `must be from ${min} to ${max}`,
    });

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** Refuses with the words of `faultOf`. */
const without = (faultOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, { addIssue }) => {
    const fault = faultOf(text);
    if (fault !== undefined) addIssue(fault);
  });

const origin = without(faultOfOrigin);

/** An address that others are appended to, or that is compared letter by letter. */
const baseUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^\s?#@*]*[^\s?#@/*]$/.test(text) && URL.canParse(text), {
    error: 'must be an http(s) URL without a user, a query, a fragment or a slash at its end',
    abort: true,
  });

/** The same; its path goes in front of every route, so it has letters that mean nothing to a router. */
const issuerUrl = baseUrl.refine(
  (text) => /^[^/]*\/\/[^/]*(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/.test(text),
  {
    error:
      'must have no path, or one of letters, digits and -._~, such as https://example.com/auth',
  },
);

/** Stands on one line of a mail's header and of a page; without marks that turn the text around it. */
const productName = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, {
    error: 'must have 1 to 64 printable characters',
    abort: true,
  })
  .regex(/[\p{L}\p{N}]/u, { error: 'must have a letter or a digit' });

/** `count` requests in each `window` milliseconds; undefined: no limit. */
const rate = z
  .string()
  .regex(/^(off|[1-9]\d{0,6}\/(?:[1-9]\d{0,3})?(s|m|h|d))$/, {
    error: 'must look like 600/1m, or be off',
  })
  .transform((text) => {
    if (text === 'off') return undefined;
    const [count, window] = text.split('/') as [string, string];
    return {
      count: Number(count),
      window: milliseconds(/^\d/.test(window) ? window : `1${window}`),
    };
  });

const flag = z.enum(['true', 'false', '']).transform((text) => text === 'true');

function isNetwork(text: string): boolean {
  const address = text.replace(/\/\d{1,3}$/, '');
  const bits = text === address ? 1 : Number(text.slice(address.length + 1));
  // Whoever trusts everybody (/0) lets everybody say who he is.
  return bits >= 1 && bits <= (isIP(address) === 4 ? 32 : 128) && isIP(address) !== 0;
}

const cidr = z.string().refine(isNetwork, { error: 'must be an address or a CIDR block' });

/** Inline key sets start with a brace; everything else is a file name. */
export const isInlineKeySet = (signingKeys: string): boolean =>
  signingKeys.trimStart().startsWith('{');

const WHAT_KEYS_ARE =
  'must be a private JWK set or the name of its file; PEM is not taken, convert it';

/** Every variable that is read. The description is that of .github/OPERATING.md; the default is the one for development. */
const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'production'])
    .default('development')
    .describe('`production` refuses every setting that would be unsafe there'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PORT: integer(0, 65_535).default(3000).describe('port to listen on'),
  METRICS_PORT: integer(0, 65_535)
    .default(9464)
    .describe('port of `/metrics` (Prometheus), apart from the public one'),
  ISSUER: issuerUrl
    .optional()
    .describe(
      '`iss` of every token, compared letter by letter; with a path, everything is served below it; production: https|`http://localhost:PORT`',
    ),
  AUDIENCE: z
    .string()
    .min(1)
    .optional()
    .describe('`aud` of the access tokens, compared letter by letter|the issuer'),
  APP_URL: baseUrl
    .optional()
    .describe('your application; its pages may call the API, with cookies|the issuer'),
  PRODUCT_NAME: productName
    .default('Latchkey')
    .describe('what mails, pages and authenticator apps call the service'),
  DATABASE_URL: DatabaseUrl.default('file:data/latchkey.db').describe(
    'SQLite (`file:PATH`) or PostgreSQL (`postgres://…`)',
  ),
  DATABASE_POOL: integer(1, 1_000).default(10).describe('connections to PostgreSQL'),
  DATABASE_TIMEOUT: duration('100ms', '60s')
    .default(milliseconds('5s'))
    .describe('how long a statement may take, waiting for a lock included|`5s`'),
  SIGNING_KEYS: z
    .string()
    .refine((text) => isInlineKeySet(text) || isFileName(text), { error: WHAT_KEYS_ARE })
    .optional()
    .describe(
      'the private JWK set: a file, or the JSON itself; made on the first start in development|`data/keys.json`',
    ),
  SIGNING_ALG: SigningAlgorithm.default('ES256').describe(
    'algorithm of the signing key that is made: ES256, RS256, PS256, EdDSA, HS256',
  ),
  SIGN_UP: z
    .enum(['open', 'verified', 'closed'])
    .optional()
    .describe(
      'who may register: anyone at once, whoever proves the mailbox, nobody|`open`; production: `verified`',
    ),
  ALLOW_OPEN_SIGN_UP: flag.default(false).describe('`true` permits `SIGN_UP=open` in production'),
  MAIL_URL: MailUrl.default('file:data/mail').describe(
    'where mail goes: `smtp://…`, `smtps://…`, or `file:FOLDER` for `.eml` files',
  ),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]+$/)
    .default('no-reply@localhost')
    .describe('sender of the mails; an address without a name gets `PRODUCT_NAME`'),
  CORS_ORIGINS: list
    .pipe(z.array(origin))
    .default([])
    .describe('further origins whose pages may call the API, separated by commas|(none)'),
  TRUST_PROXY: list
    .pipe(z.array(cidr))
    .default([])
    .describe(
      'addresses or CIDR blocks of your proxies, separated by commas; only their forwarding headers count|(none)',
    ),
  RATE_LIMIT: rate
    .prefault('600/1m')
    .describe('requests per client prefix (IPv4 address, IPv6 /64), or `off`|`600/1m`'),
  AUTH_RATE_LIMIT: rate
    .prefault('30/1m')
    .describe('the same for the routes that take a password or make a user|`30/1m`'),
  PASSWORD_MIN_LENGTH: integer(8, 64).default(15).describe('in characters (code points)'),
  HASH_MEMORY: integer(19_456, 4_194_304)
    .default(19_456)
    .describe('memory of one Argon2id hash in KiB'),
  HASH_PASSES: integer(2, 64).default(2).describe('passes of one Argon2id hash'),
  HASH_CONCURRENCY: integer(1, 1_024)
    .default(availableParallelism())
    .describe('hashes at once|processors'),
  HASH_QUEUE: integer(0, 100_000)
    .default(100)
    .describe(
      'hashes of strangers that may wait, and as many of others; more are refused with 503',
    ),
  SESSION_IDLE: duration('1h', '365d')
    .default(milliseconds('14d'))
    .describe('a session ends when it is not refreshed for this long|`14d`'),
  SESSION_MAX: duration('1h', '365d')
    .default(milliseconds('30d'))
    .describe('a session ends this long after its sign-in, whatever happens|`30d`'),
  MAX_SESSIONS: integer(1, 100)
    .default(10)
    .describe('live sessions of one user; the least recently used makes room'),
  REFRESH_GRACE: duration('0s', '60s')
    .default(milliseconds('30s'))
    .describe(
      'how long a spent refresh token still gets its successor (a lost answer, several tabs, a reload)|`30s`',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least severity that is logged'),
  SHUTDOWN_DELAY: duration('0s', '10m')
    .optional()
    .describe(
      'how long `/readyz` says no before the listener closes, so that the balancer takes the node out|`0s`; production: `5s`',
    ),
  TLS_CERT: FileName.optional().describe('certificate file (PEM): HTTPS without a proxy|(none)'),
  TLS_KEY: FileName.optional().describe('its key file (PEM)|(none)'),
});

export type Config = Readonly<ReturnType<typeof withDerivedDefaults>>;

/** Every mistake in the environment, one line each. Names the variables, never their values. */
export class ConfigError extends Error {
  constructor(mistakes: string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
    );
  }
}

/** An address with a name (RFC 5322 section 3.4), which a colon or a comma would break without the quotation marks. */
const named = (address: string, name: string): string =>
  address.includes('<') ? address : `"${name.replaceAll(/["\\]/g, '\\$&')}" <${address.trim()}>`;

function withDerivedDefaults(variables: z.infer<typeof Environment>) {
  const issuer = variables.ISSUER ?? `http://localhost:${variables.PORT}`;
  return {
    ...variables,
    ISSUER: issuer,
    AUDIENCE: variables.AUDIENCE ?? issuer,
    APP_URL: variables.APP_URL ?? issuer,
    MAIL_FROM: named(variables.MAIL_FROM, variables.PRODUCT_NAME),
    SIGNING_KEYS: variables.SIGNING_KEYS ?? 'data/keys.json',
    SIGN_UP:
      variables.SIGN_UP ??
      (variables.NODE_ENV === 'production' ? ('verified' as const) : ('open' as const)),
    SHUTDOWN_DELAY:
      variables.SHUTDOWN_DELAY ?? (variables.NODE_ENV === 'production' ? milliseconds('5s') : 0),
  };
}

/** A file is made only under a name that no key and no password has. */
function unlikelyKeyFile({ SIGNING_KEYS }: Config): string[] {
  return isInlineKeySet(SIGNING_KEYS) || existsSync(SIGNING_KEYS) || SIGNING_KEYS.endsWith('.json')
    ? []
    : [
        `SIGNING_KEYS ${WHAT_KEYS_ARE}. There is no such file, and one that is made must end in .json`,
      ];
}

/** A line end that came along from a file, or the file itself. Keys may be JSON on several lines. */
const isSpoiled = ([name, value = '']: [string, string | undefined]): boolean =>
  name in Environment.shape && name !== 'SIGNING_KEYS' && /\p{Cc}/u.test(value);

function contradictions(config: Config): string[] {
  const mistakes: string[] = [];
  if (config.SESSION_IDLE > config.SESSION_MAX)
    mistakes.push('SESSION_IDLE must not be longer than SESSION_MAX');
  if ((config.TLS_CERT === undefined) !== (config.TLS_KEY === undefined))
    mistakes.push('TLS_CERT and TLS_KEY go together');
  else if (!existsSync(config.TLS_CERT ?? '.') || !existsSync(config.TLS_KEY ?? '.'))
    mistakes.push('TLS_CERT and TLS_KEY must name files');
  if (config.PORT !== 0 && config.PORT === config.METRICS_PORT)
    mistakes.push('METRICS_PORT must not be PORT: metrics are not for the public');
  return mistakes;
}

function unsafeInProduction(config: Config): string[] {
  const mistakes: string[] = [];
  if (!config.ISSUER.startsWith('https://')) mistakes.push('ISSUER must be https in production');
  if (!config.APP_URL.startsWith('https://')) mistakes.push('APP_URL must be https in production');
  if (config.SIGN_UP === 'open' && !config.ALLOW_OPEN_SIGN_UP) {
    mistakes.push(
      'SIGN_UP=open tells strangers which addresses are known; set ALLOW_OPEN_SIGN_UP=true if you mean it',
    );
  }
  if (config.MAIL_URL.startsWith('file:')) {
    mistakes.push('MAIL_URL must be smtp:// or smtps:// in production: nobody reads files');
  }
  if (!isInlineKeySet(config.SIGNING_KEYS) && !existsSync(config.SIGNING_KEYS)) {
    mistakes.push(
      'SIGNING_KEYS must hold your keys or name their file in production: none are made there',
    );
  }
  return mistakes;
}

/** What the configuration has to fit into. */
export interface Machine {
  /** Bytes that the container may use; none or 0: nobody says. */
  memoryLimit?: number | undefined;
}

/** Hashes at once need this much; the rest of the service needs the other half. */
function tooLarge({ HASH_CONCURRENCY, HASH_MEMORY }: Config, { memoryLimit }: Machine): string[] {
  const needed = HASH_CONCURRENCY * HASH_MEMORY * 1_024;
  if (!memoryLimit || needed <= memoryLimit / 2) return [];
  const mega = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MB`;
  return [
    `HASH_CONCURRENCY times HASH_MEMORY is ${mega(needed)}, more than half of the ${mega(memoryLimit)} that this container has`,
  ];
}

/** Reads the environment once. Refuses with ConfigError, which has every mistake. An empty variable counts as unset. */
export function readConfig(env: Record<string, string | undefined>, machine: Machine = {}): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const spoiled = Object.entries(set).filter(isSpoiled);
  for (const [name] of spoiled) delete set[name];
  const parsed = Environment.safeParse(set);
  if (!parsed.success || spoiled.length > 0) {
    throw new ConfigError([
      ...spoiled.map(([name]) => `${name} must not have a line break or a control character in it`),
      ...(parsed.error?.issues ?? []).map(
        (issue) => `${issue.path[0]?.toString()} ${issue.message}`,
      ),
    ]);
  }
  const config = withDerivedDefaults(parsed.data);
  const mistakes = [
    ...contradictions(config),
    ...tooLarge(config, machine),
    ...(config.NODE_ENV === 'production' ? unsafeInProduction(config) : unlikelyKeyFile(config)),
  ];
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze(config);
}

/** The table of variables in .github/OPERATING.md: name, development default, meaning. */
export const variables: { name: string; fallback: string; meaning: string }[] = Object.entries(
  Environment.shape,
).map(([name, schema]) => {
  const [meaning, told] = `${schema.description}`.split('|') as [string, string?];
  const fallback = told ?? `\`${schema.parse(undefined)}\``;
  return { name, fallback, meaning };
});
