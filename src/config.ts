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
    .refine((value) => value >= min && value <= max, { error: `must be from ${min} to ${max}` });

/** Parses a duration with a unit into milliseconds. Refuses one outside `min` to `max`. */
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

/** Refuses a text for which `faultOf` returns a message. */
const without = (faultOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, { addIssue }) => {
    const fault = faultOf(text);
    if (fault !== undefined) addIssue(fault);
  });

const origin = without(faultOfOrigin);

/** A URL that paths are appended to, or that is compared as an exact string. */
const baseUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^\s?#@*]*[^\s?#@/*]$/.test(text) && URL.canParse(text), {
    error: 'must be an http(s) URL without user, query, fragment or trailing slash',
    abort: true,
  });

/** A base URL whose path becomes the prefix of every route, so it has no characters special to the router. */
const issuerUrl = baseUrl.refine(
  (text) => /^[^/]*\/\/[^/]*(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/.test(text),
  {
    error: 'may have only letters, digits and -._~ in its path, such as https://example.com/auth',
  },
);

/** Appears in mail headers and on pages, so it has no line breaks and no bidirectional control characters. */
const productName = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, {
    error: 'must have 1 to 64 printable characters',
    abort: true,
  })
  .regex(/[\p{L}\p{N}]/u, { error: 'must have a letter or a digit' });

/** `count` requests per `window` (ms). undefined: no limit. */
const rate = z
  .string()
  .regex(/^(off|[1-9]\d{0,6}\/(?:[1-9]\d{0,3})?(s|m|h|d))$/, {
    error: 'must be off or a rate such as 600/1m',
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
  // /0 is refused: it would let every client forge its own address.
  return bits >= 1 && bits <= (isIP(address) === 4 ? 32 : 128) && isIP(address) !== 0;
}

const cidr = z.string().refine(isNetwork, { error: 'must be an IP address or a CIDR block' });

/** An inline key set starts with a brace. Anything else is a file name. */
export const isInlineKeySet = (signingKeys: string): boolean =>
  signingKeys.trimStart().startsWith('{');

const WHAT_KEYS_ARE = 'must be a private JWK set or the name of its file; convert PEM to JWK first';

/** Every variable that is read. Descriptions go into the README; defaults are those of development. */
const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'production'])
    .default('development')
    .describe('`production` refuses unsafe settings'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PORT: integer(0, 65_535).default(3000).describe('port to listen on'),
  METRICS_PORT: integer(0, 65_535)
    .default(9464)
    .describe('port of `/metrics` (Prometheus), separate from the public port'),
  ISSUER: issuerUrl
    .optional()
    .describe(
      '`iss` of every token, compared as an exact string; if it has a path, all routes are below that path; production: https|`http://localhost:PORT`',
    ),
  AUDIENCE: z
    .string()
    .min(1)
    .optional()
    .describe('`aud` of the access tokens, compared as an exact string|the issuer'),
  APP_URL: baseUrl
    .optional()
    .describe('URL of your application; its pages may call the API, with cookies|the issuer'),
  PRODUCT_NAME: productName
    .default('Latchkey')
    .describe('name of the service in mails, pages and authenticator apps'),
  DATABASE_URL: DatabaseUrl.default('file:data/latchkey.db').describe(
    'SQLite (`file:PATH`) or PostgreSQL (`postgres://…`)',
  ),
  DATABASE_POOL: integer(1, 1_000)
    .default(10)
    .describe('maximum number of connections to PostgreSQL'),
  DATABASE_TIMEOUT: duration('100ms', '60s')
    .default(milliseconds('5s'))
    .describe('time limit of a statement, including the wait for a lock|`5s`'),
  SIGNING_KEYS: z
    .string()
    .refine((text) => isInlineKeySet(text) || isFileName(text), { error: WHAT_KEYS_ARE })
    .optional()
    .describe(
      'the private JWK set: a file name, or the JSON itself; in development the first start creates the file|`data/keys.json`',
    ),
  SIGNING_ALG: SigningAlgorithm.default('ES256').describe(
    'algorithm of a signing key that the service creates: ES256, RS256, PS256, EdDSA, HS256',
  ),
  SIGN_UP: z
    .enum(['open', 'verified', 'closed'])
    .optional()
    .describe(
      'who may sign up: anyone (`open`), anyone who confirms the address by mail (`verified`), or no one (`closed`)|`open`; production: `verified`',
    ),
  ALLOW_OPEN_SIGN_UP: flag.default(false).describe('`true` allows `SIGN_UP=open` in production'),
  MAIL_URL: MailUrl.default('file:data/mail').describe(
    'how mail is sent: `smtp://…`, `smtps://…`, or `file:FOLDER` to write `.eml` files',
  ),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]+$/)
    .default('no-reply@localhost')
    .describe('sender of mails; an address without a display name gets `PRODUCT_NAME`'),
  CORS_ORIGINS: list
    .pipe(z.array(origin))
    .default([])
    .describe('additional origins whose pages may call the API, separated by commas|(none)'),
  TRUST_PROXY: list
    .pipe(z.array(cidr))
    .default([])
    .describe(
      'IP addresses or CIDR blocks of your proxies, separated by commas; forwarding headers from other senders are ignored|(none)',
    ),
  RATE_LIMIT: rate
    .prefault('600/1m')
    .describe('requests per client prefix (IPv4 address, IPv6 /64), or `off`|`600/1m`'),
  AUTH_RATE_LIMIT: rate
    .prefault('30/1m')
    .describe('the same for routes that take a password or create a user|`30/1m`'),
  PASSWORD_MIN_LENGTH: integer(8, 64)
    .default(15)
    .describe('minimum length of a password, in characters (code points)'),
  HASH_MEMORY: integer(19_456, 4_194_304)
    .default(19_456)
    .describe('memory of one Argon2id hash, in KiB'),
  HASH_PASSES: integer(2, 64).default(2).describe('passes of one Argon2id hash'),
  HASH_CONCURRENCY: integer(1, 1_024)
    .default(availableParallelism())
    .describe('hashes computed at the same time|number of processors'),
  HASH_QUEUE: integer(0, 100_000)
    .default(100)
    .describe(
      'hashes that may wait: this many for unknown callers, and this many for all others; more are refused with 503',
    ),
  SESSION_IDLE: duration('1h', '365d')
    .default(milliseconds('14d'))
    .describe('a session that is not refreshed for this long ends|`14d`'),
  SESSION_MAX: duration('1h', '365d')
    .default(milliseconds('30d'))
    .describe('a session ends this long after its sign-in, even if it is in use|`30d`'),
  MAX_SESSIONS: integer(1, 100)
    .default(10)
    .describe('sessions of one user; a further sign-in ends the least recently used one'),
  REFRESH_GRACE: duration('0s', '60s')
    .default(milliseconds('30s'))
    .describe(
      'how long a spent refresh token still gets its successor (lost answer, several tabs, reload)|`30s`',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('lowest level that is logged'),
  SHUTDOWN_DELAY: duration('0s', '10m')
    .optional()
    .describe(
      'how long `/readyz` fails before the listener closes, so that the load balancer can remove the node|`0s`; production: `5s`',
    ),
  TLS_CERT: FileName.optional().describe('certificate file (PEM): HTTPS without a proxy|(none)'),
  TLS_KEY: FileName.optional().describe('private key file of `TLS_CERT` (PEM)|(none)'),
});

export type Config = Readonly<ReturnType<typeof withDerivedDefaults>>;

/** All errors in the environment, one per line. Names variables, never their values. */
export class ConfigError extends Error {
  constructor(mistakes: string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'an error' : `${mistakes.length} errors`}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
    );
  }
}

/** An address with a display name (RFC 5322 section 3.4), quoted because it may have a colon or a comma. */
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

/** Creates a key file only if the name ends in .json, so that a pasted key or password never becomes a file name. */
function unlikelyKeyFile({ SIGNING_KEYS }: Config): string[] {
  return isInlineKeySet(SIGNING_KEYS) || existsSync(SIGNING_KEYS) || SIGNING_KEYS.endsWith('.json')
    ? []
    : [
        `SIGNING_KEYS ${WHAT_KEYS_ARE}. No such file exists, and the name of a new one must end in .json`,
      ];
}

/** Whether a value has a control character, such as a line break from a file. SIGNING_KEYS may have several lines. */
const isSpoiled = ([name, value = '']: [string, string | undefined]): boolean =>
  name in Environment.shape && name !== 'SIGNING_KEYS' && /\p{Cc}/u.test(value);

function contradictions(config: Config): string[] {
  const mistakes: string[] = [];
  if (config.SESSION_IDLE > config.SESSION_MAX)
    mistakes.push('SESSION_IDLE must not be longer than SESSION_MAX');
  if ((config.TLS_CERT === undefined) !== (config.TLS_KEY === undefined))
    mistakes.push('TLS_CERT and TLS_KEY must be set together');
  else if (!existsSync(config.TLS_CERT ?? '.') || !existsSync(config.TLS_KEY ?? '.'))
    mistakes.push('TLS_CERT and TLS_KEY must be existing files');
  if (config.PORT !== 0 && config.PORT === config.METRICS_PORT)
    mistakes.push('METRICS_PORT must differ from PORT: metrics must not be public');
  return mistakes;
}

function unsafeInProduction(config: Config): string[] {
  const mistakes: string[] = [];
  if (!config.ISSUER.startsWith('https://')) mistakes.push('ISSUER must be https in production');
  if (!config.APP_URL.startsWith('https://')) mistakes.push('APP_URL must be https in production');
  if (config.SIGN_UP === 'open' && !config.ALLOW_OPEN_SIGN_UP) {
    mistakes.push(
      'SIGN_UP=open reveals which addresses have accounts; set ALLOW_OPEN_SIGN_UP=true to allow it',
    );
  }
  if (config.MAIL_URL.startsWith('file:')) {
    mistakes.push(
      'MAIL_URL must be smtp:// or smtps:// in production: mail written to files does not arrive',
    );
  }
  if (!isInlineKeySet(config.SIGNING_KEYS) && !existsSync(config.SIGNING_KEYS)) {
    mistakes.push(
      'SIGNING_KEYS must be set to your keys or an existing key file in production, where none are created',
    );
  }
  return mistakes;
}

/** The resources of the machine. */
export interface Machine {
  /** Memory limit of the container (bytes). undefined or 0: unknown. */
  memoryLimit?: number | undefined;
}

/** Concurrent hashes may use half of the memory; the other half is for the rest of the service. */
function tooLarge({ HASH_CONCURRENCY, HASH_MEMORY }: Config, { memoryLimit }: Machine): string[] {
  const needed = HASH_CONCURRENCY * HASH_MEMORY * 1_024;
  if (!memoryLimit || needed <= memoryLimit / 2) return [];
  const mega = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MB`;
  return [
    `HASH_CONCURRENCY times HASH_MEMORY is ${mega(needed)}, more than half of the ${mega(memoryLimit)} of this container`,
  ];
}

/** Reads the environment. An empty variable counts as unset. Throws ConfigError with all errors. */
export function readConfig(env: Record<string, string | undefined>, machine: Machine = {}): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const spoiled = Object.entries(set).filter(isSpoiled);
  for (const [name] of spoiled) delete set[name];
  const parsed = Environment.safeParse(set);
  if (!parsed.success || spoiled.length > 0) {
    throw new ConfigError([
      ...spoiled.map(([name]) => `${name} must not contain a line break or a control character`),
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

/** The rows of the README's table of variables. */
export const variables: { name: string; fallback: string; meaning: string }[] = Object.entries(
  Environment.shape,
).map(([name, schema]) => {
  const [meaning, told] = `${schema.description}`.split('|') as [string, string?];
  const fallback = told ?? `\`${schema.parse(undefined)}\``;
  return { name, fallback, meaning };
});
