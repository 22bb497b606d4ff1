import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config.ts';
import { KeyRing } from '../parts/keys/key-ring.ts';
import { KeySetSource } from '../parts/keys/key-set-source.ts';
import { newMasterSecret, newSigningKey } from '../parts/keys/new-keys.ts';
import { type MailTransport, openMail } from '../parts/mail/transport.ts';
import { BreachedPasswords } from '../parts/passwords/breached-passwords.ts';
import { CountsOfAllNodes } from '../parts/redis/counts-of-all-nodes.ts';
import { RedisLink } from '../parts/redis/redis-link.ts';
import { type Database, openDatabase, type PoolUse } from '../parts/storage/database.ts';
import { buildJws } from '../parts/tokens/jws.ts';
import { SpanExporter } from '../parts/tracing/span-exporter.ts';
import { databaseFault } from '../start-faults/database-fault.ts';
import { breachedFault, explained, mailFault, redisFault } from '../start-faults.ts';

// What is outside the process: opened as the configuration says. If that fails for a known reason, the error is a
// StartFault; for the keys, a KeySetError.

export function openSpans(config: Config, log: FastifyBaseLogger): SpanExporter | undefined {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  return new SpanExporter({
    endpoint,
    service: config.OTEL_SERVICE_NAME,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    log,
  });
}

export async function openBreachedPasswords({
  BREACHED_PASSWORDS: path,
}: Config): Promise<BreachedPasswords | undefined> {
  if (path === undefined) return undefined;
  return explained(breachedFault(path), () => BreachedPasswords.open(path));
}

/** The database, not migrated yet; and of PostgreSQL, how much of the pool is in use. */
export async function openStorage(
  config: Config,
  log: FastifyBaseLogger,
): Promise<{ database: Database; pool?: PoolUse | undefined }> {
  let pool: PoolUse | undefined;
  const database = await explained(databaseFault(config.DATABASE_URL), () =>
    openDatabase({
      url: config.DATABASE_URL,
      pool: config.DATABASE_POOL,
      timeout: config.DATABASE_TIMEOUT,
      authority: config.DATABASE_CA,
      warn: (message) => log.warn(message),
      pooled: (opened) => {
        pool = opened;
      },
    }),
  );
  return { database, pool };
}

/** The keys, and where they are read again. Makes a key file that is missing, with keys that sign from `now` (ms). */
export async function openKeys(
  config: Config,
  now: number,
  log: FastifyBaseLogger,
): Promise<{ keys: KeyRing; keySetSource: KeySetSource }> {
  const nbf = Math.floor(now / 1_000);
  const keySetSource = new KeySetSource(config.SIGNING_KEYS, (message) => log.warn(message));
  const keySet = keySetSource.open(() => [
    newSigningKey(config.SIGNING_ALG, nbf),
    newMasterSecret(nbf),
  ]);
  const keys = await KeyRing.open(keySet, now, {
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    resources: config.AUDIENCES,
    build: buildJws,
  });
  return { keys, keySetSource };
}

/** In Redis, if there is one. `key` hides the addresses of clients in it. */
export async function openCountsOfAllNodes(
  { REDIS_URL: url }: Config,
  key: () => Buffer,
  log: FastifyBaseLogger,
): Promise<CountsOfAllNodes | undefined> {
  if (url === undefined) return undefined;
  const link = await explained(redisFault, () => RedisLink.open(url));
  return CountsOfAllNodes.open({ link, key, log });
}

export const openMailTransport = (config: Config): Promise<MailTransport> =>
  explained(mailFault(config.MAIL_URL), () =>
    openMail(config.MAIL_URL, { from: config.MAIL_FROM, product: config.PRODUCT_NAME }),
  );
