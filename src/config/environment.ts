import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { DatabaseUrl, MailUrl, RedisUrl } from '../schemas/connection-url.ts';
import { FileName, isFileName } from '../schemas/file-name.ts';
import { isInlineKeySet, SigningAlgorithm } from '../schemas/jwk.ts';
import { providerVariables } from './providers.ts';
import {
  baseUrl,
  color,
  duration,
  flag,
  headerPairs,
  host,
  integer,
  issuerUrl,
  list,
  milliseconds,
  network,
  oneOf,
  origin,
  productName,
  rate,
  resourceUris,
  workers,
} from './values.ts';

export const WHAT_KEYS_ARE =
  'must be a private JWK set or the name of its file; PEM is not accepted, convert it to JWK';

/**
 * Every variable of the service, with its default for development. `description` and, where the default itself would
 * not be readable, `fallback` stand in the README's table.
 */
export const Environment = z.object({
  NODE_ENV: oneOf(['development', 'production'])
    .default('development')
    .describe('`production` refuses every setting that is unsafe there'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PORT: integer(0, 65_535).default(3000).describe('port to listen on'),
  METRICS_PORT: integer(0, 65_535)
    .default(9464)
    .describe('port of `/metrics` (Prometheus); must not be public'),
  WORKERS: workers
    .default(1)
    .describe(
      'processes that serve the port together: a number, or `auto`, one for each processor',
    ),
  ISSUER: issuerUrl.optional().meta({
    description:
      '`iss` of every token, compared letter by letter; if it has a path, everything is served below that; in production: https',
    fallback: '`http://localhost:PORT`',
  }),
  AUDIENCE: z.string().min(1).optional().meta({
    description: '`aud` of the access tokens, compared letter by letter',
    fallback: 'the issuer',
  }),
  AUDIENCES: list.pipe(resourceUris).default([]).meta({
    description:
      'other services that a client may ask a token for, as absolute URIs, separated by commas; a token for one of them opens nothing here',
    fallback: '(none)',
  }),
  APP_URL: baseUrl.optional().meta({
    description: 'URL of your application; its pages may call the API with cookies',
    fallback: 'the issuer',
  }),
  PASSKEY_RP_ID: host.optional().meta({
    description:
      'domain that passkeys belong to: the host of their pages, or a parent of it, such as `example.com`. Never change it: every passkey would be lost',
    fallback: 'the host of `APP_URL`',
  }),
  PRODUCT_NAME: productName
    .default('Latchkey')
    .describe('name of the service in mails, pages and authenticator apps'),
  PRODUCT_COLOR: color
    .default('#3b5bdb')
    .describe("colour of the pages' buttons and links, in hex"),
  DATABASE_URL: DatabaseUrl.default('file:data/latchkey.db').describe(
    'SQLite (`file:PATH`) or PostgreSQL (`postgres://…`)',
  ),
  DATABASE_POOL: integer(1, 1_000).default(10).describe('connections to PostgreSQL'),
  DATABASE_TIMEOUT: duration('100ms', '60s').default(milliseconds('5s')).meta({
    description: 'the most time a statement may take, including the wait for a lock',
    fallback: '`5s`',
  }),
  DATABASE_CA: FileName.optional().meta({
    description:
      "certificate file (PEM) of the authority that signed PostgreSQL's certificate; replaces the public authorities",
    fallback: '(none)',
  }),
  SIGNING_KEYS: z
    .string()
    .refine((text) => isInlineKeySet(text) || isFileName(text), { error: WHAT_KEYS_ARE })
    .optional()
    .meta({
      description:
        'private JWK set: a file name, or the JSON itself; in development the file is created if it is missing',
      fallback: '`data/keys.json`',
    }),
  SIGNING_ALG: oneOf(SigningAlgorithm.options)
    .default('ES256')
    .describe('algorithm of a signing key that is created: ES256, RS256, PS256, EdDSA, HS256'),
  SIGN_UP: oneOf(['open', 'verified', 'closed']).optional().meta({
    description:
      'who may register: `open`, anyone at once; `verified`, after a mail to the address; `closed`, no one',
    fallback: '`open`; production: `verified`',
  }),
  ALLOW_OPEN_SIGN_UP: flag.default(false).describe('`true` allows `SIGN_UP=open` in production'),
  MAIL_URL: MailUrl.default('file:data/mail').describe(
    'where mail goes: `smtp://…`, `smtps://…`, or `file:FOLDER` for `.eml` files',
  ),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]+$/)
    .default('no-reply@localhost')
    .describe('sender of mails; an address without a name gets `PRODUCT_NAME`'),
  CORS_ORIGINS: list.pipe(z.array(origin)).default([]).meta({
    description: 'more origins whose pages may call the API, separated by commas',
    fallback: '(none)',
  }),
  TRUST_PROXY: list.pipe(z.array(network)).default([]).meta({
    description:
      'addresses or CIDR blocks of your proxies, separated by commas; forwarding headers from other addresses are ignored',
    fallback: '(none)',
  }),
  RATE_LIMIT: rate.prefault('600/1m').meta({
    description: 'requests per client prefix (IPv4 address, IPv6 /64), or `off`',
    fallback: '`600/1m`',
  }),
  AUTH_RATE_LIMIT: rate.prefault('30/1m').meta({
    description: 'the same for routes that sign in, take a password or a code, or create a user',
    fallback: '`30/1m`',
  }),
  REDIS_URL: RedisUrl.optional().meta({
    description:
      'Redis in which all nodes count requests together (`redis://…`, or `rediss://…` for TLS)',
    fallback: '(none)',
  }),
  SIGN_IN_LETTERS: flag
    .default(true)
    .describe('mail a user after a sign-in on a device that the account does not know'),
  PASSWORD_MIN_LENGTH: integer(8, 64)
    .default(15)
    .describe('shortest new password, in characters (code points)'),
  BREACHED_PASSWORDS: FileName.optional().meta({
    description:
      'filter file of passwords that are known from breaches; new passwords must not be in it',
    fallback: '(none)',
  }),
  HASH_MEMORY: integer(19_456, 4_194_304)
    .default(19_456)
    .describe('memory of one Argon2id hash in KiB'),
  HASH_PASSES: integer(2, 64).default(2).describe('passes of one Argon2id hash'),
  HASH_CONCURRENCY: integer(1, 1_024)
    .default(availableParallelism())
    .meta({ description: 'hashes computed at once', fallback: 'processors' }),
  HASH_QUEUE: integer(0, 100_000)
    .default(100)
    .describe(
      'hashes that may wait: this many for unknown clients, and as many for known ones; more are refused with 503',
    ),
  SESSION_IDLE: duration('1h', '365d')
    .default(milliseconds('14d'))
    .meta({ description: 'a session that is not refreshed for this long ends', fallback: '`14d`' }),
  SESSION_MAX: duration('1h', '365d')
    .default(milliseconds('30d'))
    .meta({ description: 'a session ends this long after its sign-in', fallback: '`30d`' }),
  MAX_SESSIONS: integer(1, 100)
    .default(10)
    .describe('live sessions of one user; one more ends the least recently used'),
  REFRESH_GRACE: duration('0s', '60s').default(milliseconds('30s')).meta({
    description:
      'how long a spent refresh token still gets its successor (after a lost answer or a reload, or from several tabs)',
    fallback: '`30s`',
  }),
  DPOP_NONCE: oneOf(['off', 'on'])
    .default('off')
    .describe(
      'whether every DPoP proof needs a nonce (RFC 9449 section 8): `off`, only those of clients whose clock is wrong; `on`, all',
    ),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('lowest severity that is logged: trace, debug, info, warn, error, fatal, or silent'),
  OTEL_EXPORTER_OTLP_ENDPOINT: baseUrl.optional().meta({
    description:
      'OpenTelemetry collector that gets a span for each request (OTLP over HTTP, JSON), such as `http://localhost:4318`',
    fallback: '(none)',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: headerPairs
    .default([])
    .meta({ description: 'headers for it: `name=value`, separated by commas', fallback: '(none)' }),
  OTEL_SERVICE_NAME: z.string().min(1).default('latchkey').describe('name of the service there'),
  SHUTDOWN_DELAY: duration('0s', '10m').optional().meta({
    description:
      'how long `/readyz` answers 503 before the listener closes, so that the load balancer removes the node',
    fallback: '`0s`; production: `5s`',
  }),
  TLS_CERT: FileName.optional().meta({
    description: 'certificate file (PEM): HTTPS without a proxy',
    fallback: '(none)',
  }),
  TLS_KEY: FileName.optional().meta({ description: 'its key file (PEM)', fallback: '(none)' }),
  ...providerVariables,
});

/** The other slots have the variables of the first. */
const isRepeated = (name: string): boolean => /^OIDC_[2-4]_/.test(name);

/** The README's table of variables: name, development default, meaning. */
export const variables: { name: string; fallback: string; meaning: string }[] = Object.entries(
  Environment.shape,
)
  .filter(([name]) => !isRepeated(name))
  .map(([name, schema]) => {
    const { description, fallback } = schema.meta() as { description: string; fallback?: string };
    return { name, fallback: fallback ?? `\`${schema.parse(undefined)}\``, meaning: description };
  });
