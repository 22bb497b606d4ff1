import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';
import {
  openBreachedPasswords,
  openCountsOfAllNodes,
  openKeys,
  openMailTransport,
  openSpans,
  openStorage,
} from './context/outside.ts';
import { DpopProofs } from './parts/dpop/dpop-proofs.ts';
import { decoyOf } from './parts/guessing/decoys.ts';
import { Guessing } from './parts/guessing/guessing.ts';
import type { KeyRing } from './parts/keys/key-ring.ts';
import { MailboxLimit } from './parts/mail/mailbox-limit.ts';
import { MAIL_WAITS, Outbox } from './parts/mail/outbox.ts';
import { outboxLog } from './parts/mail/outbox-log.ts';
import { measureParts } from './parts/measured-parts.ts';
import { buildMetrics, type Metrics } from './parts/metrics.ts';
import { Passkeys } from './parts/passkeys/passkeys.ts';
import type { BreachedPasswords } from './parts/passwords/breached-passwords.ts';
import type { HashCost } from './parts/passwords/hash-cost.ts';
import { HashQueue } from './parts/passwords/hash-queue.ts';
import { PasswordStrength } from './parts/passwords/password-strength.ts';
import { Passwords } from './parts/passwords/passwords.ts';
import { Peers } from './parts/peers.ts';
import { Providers } from './parts/providers/providers.ts';
import type { CountsOfAllNodes } from './parts/redis/counts-of-all-nodes.ts';
import { RevocationDocument } from './parts/revocations/revocation-document.ts';
import { RevocationFeed } from './parts/revocations/revocation-feed.ts';
import type { RevocationLog } from './parts/revocations/revocation-log.ts';
import { Revocations } from './parts/revocations/revocations.ts';
import { Shutdown } from './parts/shutdown.ts';
import type { Database } from './parts/storage/database.ts';
import { kindOfFault } from './parts/storage/faults.ts';
import { migrate } from './parts/storage/migrations.ts';
import { UnreadableRows } from './parts/storage/unreadable-rows.ts';
import { Users } from './parts/storage/users.ts';
import { WriteProbe } from './parts/storage/write-probe.ts';
import { AccessTokens } from './parts/tokens/access-tokens.ts';
import { OwnTokens } from './parts/tokens/own-tokens.ts';
import type { SpanExporter } from './parts/tracing/span-exporter.ts';
import type { Clock, Uptime } from './rules/clock.ts';
import { allowedOrigins } from './rules/origins.ts';
import { revokedPartOf, type SessionLimits } from './rules/sessions.ts';
import { databaseFault } from './start-faults/database-fault.ts';
import { explained } from './start-faults.ts';

/** Work and waits that the service does on purpose. Tests that are not about them pass in less. */
export interface Pace {
  hashCost: HashCost;
  /** Milliseconds: well above the duration of the work behind an answer, well below what people notice. */
  answerFloor: number;
  /** Milliseconds before each attempt to send a letter. */
  mailWaits: number[];
}

/** The parts of a running service. */
export interface Context {
  config: Config;
  clock: Clock;
  pace: Pace;
  users: Users;
  writeProbe: WriteProbe;
  keys: KeyRing;
  accessTokens: AccessTokens;
  ownTokens: OwnTokens;
  passkeys: Passkeys;
  dpopProofs: DpopProofs;
  providers: Providers;
  passwords: Passwords;
  passwordStrength: PasswordStrength;
  /** undefined without BREACHED_PASSWORDS. */
  breachedPasswords: BreachedPasswords | undefined;
  hashQueue: HashQueue;
  metrics: Metrics;
  revocationFeed: RevocationFeed;
  revocationLog: RevocationLog;
  revocationDocument: RevocationDocument;
  sessionLimits: SessionLimits;
  guessing: Guessing;
  unreadableRows: UnreadableRows;
  outbox: Outbox;
  mailboxLimit: MailboxLimit;
  peers: Peers;
  /** Undefined without `REDIS_URL`. */
  countsOfAllNodes: CountsOfAllNodes | undefined;
  /** Undefined without `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  spans: SpanExporter | undefined;
  shutdown: Shutdown;
  /** Reads the key set again. Refuses a bad one with KeySetError, and keeps the old keys. */
  reloadKeys(): Promise<void>;
  close(): Promise<void>;
}

/** What is handed in. Tests hand in their own clock, uptime and database. */
interface Surroundings {
  logger: FastifyBaseLogger;
  clock?: Clock;
  uptime?: Uptime;
  database?: Database;
  pace?: Pace;
  /** The other workers, if this process is one of several. */
  peers?: Peers;
}

/** That of a running service. */
export const paceOf = ({ HASH_MEMORY, HASH_PASSES }: Config): Pace => ({
  hashCost: { memory: HASH_MEMORY, passes: HASH_PASSES },
  answerFloor: 40,
  mailWaits: MAIL_WAITS,
});

/**
 * Joins the parts, migrates the database, and reads what is revoked. Opens no port. If that fails, it closes what it has
 * opened: the start is tried again and again.
 */
export async function buildContext(config: Config, surroundings: Surroundings): Promise<Context> {
  const opened: (() => unknown)[] = [];
  const close = async () => {
    for (const closePart of opened.splice(0).toReversed()) await closePart();
  };
  try {
    return { ...(await joined(config, surroundings, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Adds to `opened` how to close each part, in an order that lets the last one be closed first. */
async function joined(
  config: Config,
  surroundings: Surroundings,
  opened: (() => unknown)[],
): Promise<Omit<Context, 'close'>> {
  const { logger, clock = Date.now, uptime = () => performance.now() } = surroundings;
  const { pace = paceOf(config), peers = new Peers() } = surroundings;
  const spans = openSpans(config, logger);
  // Last, as it may take seconds: no mail may be lost for a span.
  opened.push(() => spans?.close());
  const breachedPasswords = await openBreachedPasswords(config);
  opened.push(() => breachedPasswords?.close());
  const metrics = buildMetrics();
  const { database, pool } = surroundings.database
    ? { database: surroundings.database }
    : await openStorage(config, logger);
  opened.push(() => database.destroy());
  const explain = databaseFault(config.DATABASE_URL);
  await explained(explain, () => migrate(database));
  const { keys, keySetSource } = await openKeys(config, clock(), logger);

  const revocations = new Revocations(uptime);
  const decoys = (emailKey: string) => decoyOf(keys.decoyKey(clock()), emailKey);
  const unreadableRows = new UnreadableRows(logger);
  const users = new Users(database, {
    wrote: (user) => {
      if (revocations.learn(user)) peers.tell('revoked', revokedPartOf(user));
    },
    unreadable: (row) => unreadableRows.add(row),
    failed: (error) => metrics.databaseErrors.inc({ kind: kindOfFault(error) }),
  });
  peers.hear('revoked', (user) => revocations.learn(user));
  const revocationFeed = new RevocationFeed({
    users,
    revocations,
    clock,
    uptime,
    polled: (duration) => metrics.polls.observe(duration / 1_000),
  });
  const { log: revocationLog } = revocations;
  const revocationDocument = new RevocationDocument({
    log: revocationLog,
    feed: revocationFeed,
    keys,
    clock,
    uptime,
  });
  await explained(explain, () => revocationFeed.poll());

  const hashQueue = new HashQueue({
    concurrency: config.HASH_CONCURRENCY,
    waiting: config.HASH_QUEUE,
    waited: (duration) => metrics.hashWaits.observe(duration / 1_000),
  });
  const countsOfAllNodes = await openCountsOfAllNodes(
    config,
    () => keys.clientKey(clock()),
    logger,
  );
  opened.push(() => countsOfAllNodes?.close());
  measureParts(metrics.registry, {
    hashQueue,
    revocations,
    revocationFeed,
    revocationLog,
    unreadableRows,
    keys,
    clock,
    pool,
    countsOfAllNodes,
  });
  const outbox = new Outbox(
    await openMailTransport(config),
    outboxLog({ url: config.MAIL_URL, logger, mails: metrics.mails }),
    pace.mailWaits,
  );
  opened.push(() => outbox.close());
  const passwordStrength = new PasswordStrength();
  opened.push(() => passwordStrength.close());

  return {
    config,
    clock,
    pace,
    users,
    writeProbe: new WriteProbe(() => users.tryWriting(), { clock, log: logger }),
    keys,
    accessTokens: new AccessTokens({
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
      resources: config.AUDIENCES,
      oversized: (user, text) => logger.warn({ user }, text),
      keys,
      revocations,
      clock,
    }),
    ownTokens: new OwnTokens({ issuer: config.ISSUER, keys, clock }),
    passkeys: new Passkeys({ rpId: config.PASSKEY_RP_ID, origins: [...allowedOrigins(config)] }),
    dpopProofs: new DpopProofs({
      issuer: config.ISSUER,
      needsNonce: config.DPOP_NONCE === 'on',
      nonceKey: () => keys.nonceKey(clock()),
      peers,
      clock,
    }),
    providers: new Providers(config.PROVIDERS, clock),
    passwords: new Passwords(pace.hashCost, hashQueue),
    passwordStrength,
    breachedPasswords,
    hashQueue,
    metrics,
    revocationFeed,
    revocationLog,
    revocationDocument,
    sessionLimits: {
      idle: config.SESSION_IDLE,
      max: config.SESSION_MAX,
      grace: config.REFRESH_GRACE,
      count: config.MAX_SESSIONS,
    },
    guessing: new Guessing(users, clock, decoys),
    unreadableRows,
    outbox,
    mailboxLimit: new MailboxLimit(peers),
    peers,
    countsOfAllNodes,
    spans,
    shutdown: new Shutdown(config.SHUTDOWN_DELAY),
    reloadKeys: async () => keys.replace(keySetSource.readAgain(), clock()),
  };
}
