import type { FastifyBaseLogger } from 'fastify';
import { type Config, isInlineKeySet } from './config.ts';
import { Guessing } from './parts/guessing/guessing.ts';
import { KeyRing } from './parts/keys/key-ring.ts';
import { KeySetError, readKeySet } from './parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from './parts/keys/new-keys.ts';
import { MailboxLimit } from './parts/mail/mailbox-limit.ts';
import { MAIL_WAITS, Outbox, type OutboxLog } from './parts/mail/outbox.ts';
import { openMail } from './parts/mail/transport.ts';
import { buildMetrics, type Metrics } from './parts/metrics.ts';
import type { HashCost } from './parts/passwords/hash-cost.ts';
import { HashQueue } from './parts/passwords/hash-queue.ts';
import { PasswordStrength } from './parts/passwords/password-strength.ts';
import { Passwords } from './parts/passwords/passwords.ts';
import { RevocationFeed } from './parts/revocations/revocation-feed.ts';
import { Revocations } from './parts/revocations/revocations.ts';
import { Shutdown } from './parts/shutdown.ts';
import { type Database, openDatabase } from './parts/storage/database.ts';
import { readKeyFile } from './parts/storage/key-file.ts';
import { migrate } from './parts/storage/migrations.ts';
import { UnreadableRows } from './parts/storage/unreadable-rows.ts';
import { Users } from './parts/storage/users.ts';
import { WriteProbe } from './parts/storage/write-probe.ts';
import { AccessTokens } from './parts/tokens/access-tokens.ts';
import { buildJws } from './parts/tokens/jws.ts';
import { OwnTokens } from './parts/tokens/own-tokens.ts';
import type { Clock, Uptime } from './rules/clock.ts';
import type { SessionLimits } from './rules/sessions.ts';
import type { PrivateJwk } from './schemas/jwk.ts';
import { databaseFault, explained, mailFault } from './start-faults.ts';

/** Work and waits that the service does on purpose. Tests that are not about them hand in less. */
export interface Pace {
  hashCost: HashCost;
  /** Milliseconds: well above what the work behind an answer takes, well below what a person notices. */
  answerFloor: number;
  /** Milliseconds before each try to send a letter. */
  mailWaits: number[];
}

/** The parts of a running service, joined. */
export interface Context {
  config: Config;
  clock: Clock;
  pace: Pace;
  users: Users;
  writeProbe: WriteProbe;
  keys: KeyRing;
  accessTokens: AccessTokens;
  ownTokens: OwnTokens;
  passwords: Passwords;
  passwordStrength: PasswordStrength;
  hashQueue: HashQueue;
  metrics: Metrics;
  revocationFeed: RevocationFeed;
  sessionLimits: SessionLimits;
  guessing: Guessing;
  unreadableRows: UnreadableRows;
  outbox: Outbox;
  mailboxLimit: MailboxLimit;
  shutdown: Shutdown;
  /** Reads the key set again. Refuses a bad one with KeySetError; the old keys then stay. */
  reloadKeys(): Promise<void>;
  close(): Promise<void>;
}

interface Parts {
  logger: FastifyBaseLogger;
  clock?: Clock;
  uptime?: Uptime;
  database?: Database;
  pace?: Pace;
}

/** That of a running service. */
export const paceOf = ({ HASH_MEMORY, HASH_PASSES }: Config): Pace => ({
  hashCost: { memory: HASH_MEMORY, passes: HASH_PASSES },
  answerFloor: 40,
  mailWaits: MAIL_WAITS,
});

function keySetText({ SIGNING_KEYS }: Config, makeKeys: () => PrivateJwk[]): string {
  if (isInlineKeySet(SIGNING_KEYS)) return SIGNING_KEYS;
  try {
    return readKeyFile(SIGNING_KEYS, makeKeys);
  } catch (error) {
    if (error instanceof KeySetError) throw error;
    // The message would show the name, which may be the keys themselves, spoiled on their way here.
    throw new KeySetError(`the file cannot be used (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Keys are made at the start only: a file that is gone for a moment must not sign everybody out. */
function makeNoKeys(): never {
  throw new KeySetError('the file is gone');
}

/** What a mail server says may repeat the address, or the password that it did not like: only its code is kept. */
function mailFailure(error: unknown): object {
  const { code, command, responseCode } = error as Record<string, unknown>;
  return command === undefined || command === 'CONN'
    ? { err: error }
    : { code, command, status: responseCode };
}

/** In development, where mail goes to files, the log has the links too. */
function outboxLog({ MAIL_URL }: Config, logger: FastifyBaseLogger, { mails }: Metrics): OutboxLog {
  const toFiles = MAIL_URL.startsWith('file:');
  return {
    sent: ({ subject, action }) => {
      mails.inc({ outcome: 'sent' });
      logger.info(
        { event: 'mail.sent', subject, ...(toFiles && { link: action?.link }) },
        'mail.sent',
      );
    },
    retried: (error) => {
      mails.inc({ outcome: 'retried' });
      logger.warn({ event: 'mail.retried', ...mailFailure(error) }, 'mail.retried');
    },
    givenUp: (error) => {
      mails.inc({ outcome: 'given_up' });
      logger.error({ event: 'mail.given_up', ...mailFailure(error) }, 'mail.given_up');
    },
  };
}

/** Joins the parts, brings the database up to date, learns what is revoked. Opens no port. */
export async function buildContext(config: Config, parts: Parts): Promise<Context> {
  const clock = parts.clock ?? Date.now;
  const uptime = parts.uptime ?? (() => performance.now());
  const pace = parts.pace ?? paceOf(config);
  const explain = databaseFault(config.DATABASE_URL);
  const database =
    parts.database ??
    (await explained(explain, () =>
      openDatabase({
        url: config.DATABASE_URL,
        pool: config.DATABASE_POOL,
        timeout: config.DATABASE_TIMEOUT,
        warn: (message) => parts.logger.warn(message),
      }),
    ));
  await explained(explain, () => migrate(database)).catch(async (error) => {
    await database.destroy();
    throw error;
  });

  const nbf = Math.floor(clock() / 1_000);
  const makeKeys = () => [newSigningKey(config.SIGNING_ALG, nbf), newMasterSecret(nbf)];
  const keys = await KeyRing.open(readKeySet(keySetText(config, makeKeys)), clock(), {
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    build: buildJws,
  });

  const revocations = new Revocations(uptime);
  const unreadableRows = new UnreadableRows(parts.logger);
  const users = new Users(database, {
    wrote: (user) => revocations.learn(user),
    unreadable: (row) => unreadableRows.add(row),
  });
  const revocationFeed = new RevocationFeed({ users, revocations, clock, uptime });
  await explained(explain, () => revocationFeed.poll());

  const hashQueue = new HashQueue({
    concurrency: config.HASH_CONCURRENCY,
    waiting: config.HASH_QUEUE,
  });
  const metrics = buildMetrics({ hashQueue, revocationFeed, unreadableRows });
  const mail = await explained(mailFault(config.MAIL_URL), () =>
    openMail(config.MAIL_URL, { from: config.MAIL_FROM, product: config.PRODUCT_NAME }),
  );
  const outbox = new Outbox(mail, outboxLog(config, parts.logger, metrics), pace.mailWaits);

  const passwordStrength = new PasswordStrength();

  return {
    config,
    clock,
    pace,
    users,
    writeProbe: new WriteProbe(() => users.tryWriting(), {
      clock,
      failing: (err) => parts.logger.error({ err }, 'database: nothing can be written'),
      well: () => parts.logger.info('database: can be written again'),
    }),
    keys,
    accessTokens: new AccessTokens({
      issuer: config.ISSUER,
      audience: config.AUDIENCE,
      keys,
      revocations,
      clock,
    }),
    ownTokens: new OwnTokens({ issuer: config.ISSUER, keys, clock }),
    passwords: new Passwords(pace.hashCost, hashQueue),
    passwordStrength,
    hashQueue,
    metrics,
    revocationFeed,
    sessionLimits: {
      idle: config.SESSION_IDLE,
      max: config.SESSION_MAX,
      grace: config.REFRESH_GRACE,
      count: config.MAX_SESSIONS,
    },
    guessing: new Guessing(users, clock),
    unreadableRows,
    outbox,
    mailboxLimit: new MailboxLimit(),
    shutdown: new Shutdown(config.SHUTDOWN_DELAY),
    reloadKeys: async () => keys.replace(readKeySet(keySetText(config, makeNoKeys)), clock()),
    close: async () => {
      await outbox.close();
      await passwordStrength.close();
      await database.destroy();
    },
  };
}
