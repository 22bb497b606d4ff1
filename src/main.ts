import { lookup } from 'node:dns/promises';
import { readFileSync, watchFile } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { buildContext, type Context } from './context.ts';
import { logDestination } from './http/log-destination.ts';
import { buildMetricsApp } from './http/metrics.ts';
import { KeySetError } from './parts/keys/key-set.ts';
import { placeOf } from './schemas/connection-url.ts';
import { isInlineKeySet } from './schemas/jwk.ts';
import { EX_CONFIG, explained, listenFault, StartFault } from './start-faults.ts';

/** Interval of the revocation poll (ms). */
const POLL_EVERY = 500;
/** How long to wait for a database at start (ms). */
const DATABASE_PATIENCE = 10_000;
/** After the delay, the total time to finish requests, send waiting mails and close the database (ms). */
const END_LIMIT = 20_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ends the process. A fault that the operator can fix gets a message without stack and an exit code of sysexits.h. */
function refuseToStart(error: unknown): never {
  if (error instanceof StartFault) {
    console.error(error.message);
    process.exit(error.exitCode);
  }
  if (error instanceof ConfigError) console.error(error.message);
  else if (error instanceof KeySetError)
    console.error(`SIGNING_KEYS cannot be used: ${error.message}`);
  else throw error;
  process.exit(EX_CONFIG);
}

/** Reads and checks the certificate and its key, before anything is opened. */
function readTls({ TLS_CERT, TLS_KEY }: Config) {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return undefined;
  try {
    const tls = { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
    createSecureContext(tls);
    return tls;
  } catch {
    throw new ConfigError([
      'TLS_CERT and TLS_KEY must be a certificate and its private key, in PEM',
    ]);
  }
}

/** Builds the context, and waits for a database that is still starting. */
async function buildPatiently(config: Config, log: pino.Logger): Promise<Context> {
  const patience = AbortSignal.timeout(DATABASE_PATIENCE);
  const build = () => buildContext(config, { logger: log });
  const retry = async (error: unknown): Promise<Context> => {
    if (!(error instanceof StartFault && error.isPassing) || patience.aborted) throw error;
    await sleep(250);
    return build().catch(retry);
  };
  return build().catch((error) => {
    if (error instanceof StartFault && error.isPassing) log.warn(`waiting: ${error.message}`);
    return retry(error);
  });
}

type Listener = Parameters<typeof listenFault>[0];

const listen = (app: Pick<FastifyInstance, 'listen'>, listener: Listener) =>
  explained(listenFault(listener), async () =>
    app.listen({
      // A single address: for "localhost" Fastify opens two, and on close waits only for requests of the first.
      host: (await lookup(listener.host, { order: 'ipv4first' })).address,
      port: listener.port,
      listenTextResolver: (address) => `Latchkey listens on ${address}`,
    }),
  );

/** Returns the address. In development, a second instance gets a free port, so it needs no METRICS_PORT. */
async function listenForMetrics(app: FastifyInstance, config: Config, log: pino.Logger) {
  const listener = { variable: 'METRICS_PORT', host: config.HOST } as const;
  try {
    return await listen(app, { ...listener, port: config.METRICS_PORT });
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    if (config.NODE_ENV === 'production' || cause?.code !== 'EADDRINUSE') throw error;
    log.warn(`metrics use a free port instead: ${message}`);
    return listen(app, { ...listener, port: 0 });
  }
}

async function start() {
  // Process 1 of a container ignores signals that it has no handler for.
  for (const signal of SIGNALS) process.on(signal, () => answerSignal(signal));
  const config = readConfig(process.env, { memoryLimit: process.constrainedMemory() });
  const tls = readTls(config);
  const log = pino({ level: config.LOG_LEVEL }, logDestination(process.stdout.isTTY));
  const context = await buildPatiently(config, log);
  const app = await buildApp(context, { logger: log, tls });
  const metricsApp = buildMetricsApp(context.metrics);
  const metricsAddress = await listenForMetrics(metricsApp, config, log);
  await listen(app, { variable: 'PORT', host: config.HOST, port: config.PORT });

  const stopPolling = context.revocationFeed.follow(POLL_EVERY, (error) =>
    log.error({ err: error }, 'revocations: poll failed'),
  );
  followKeys(context, log);
  greet(context, log);
  log.info(`  metrics   ${metricsAddress}/metrics`);

  // An unhandled rejection affects one request, and the others go on. After an uncaught exception the state is
  // unknown, so the process ends, and its supervisor restarts it.
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));
  followSignals({
    config,
    log,
    hurry: () => context.shutdown.hurry(),
    end: async () => {
      await context.shutdown.leave(app.server);
      await app.close();
      stopPolling();
      await metricsApp.close();
      await context.close();
    },
  });
}

/** What a signal does. The listeners stay the same: one that is replaced loses a signal that has just arrived. */
let answerSignal: (signal: string) => void = () => process.exit(0);

interface Ending {
  config: Config;
  log: pino.Logger;
  end(): Promise<void>;
  hurry(): void;
}

/** The first signal shuts down gracefully, the second skips the wait for load balancers, the third exits at once. */
function followSignals({ config, log, end, hurry }: Ending) {
  // SIGHUP reloads the keys.
  const { close } = closeWithGrace(
    {
      delay: config.SHUTDOWN_DELAY + END_LIMIT,
      logger: log,
      skip: ['SIGHUP', 'unhandledRejection', ...SIGNALS],
    },
    async ({ err }) => {
      if (err) {
        log.fatal({ err }, 'shutting down after an error');
        hurry();
      }
      await end();
    },
  );
  const steps = [close, hurry, () => process.exit(1)];
  answerSignal = (signal) => {
    log.info(`${signal}: shutting down${steps.length < 3 ? ' faster' : ''}`);
    steps.shift()?.();
  };
}

/** Reloads the keys when the key file changes, and on SIGHUP. An invalid set is logged; the old keys stay. */
function followKeys({ config, reloadKeys }: Context, log: pino.Logger) {
  let reloading = Promise.resolve();
  // One at a time, so that the last file read is the one in use.
  const reload = () => {
    reloading = reloading.then(reloadKeys).then(
      () => log.info({ event: 'key.rotated' }, 'key set reloaded'),
      (error) => log.error({ err: error }, 'key set refused: old keys stay in use'),
    );
  };
  process.on('SIGHUP', reload);
  if (!isInlineKeySet(config.SIGNING_KEYS)) {
    watchFile(config.SIGNING_KEYS, { interval: 1_000, persistent: false }, reload);
  }
}

function greet({ config, keys, clock }: Context, log: pino.Logger) {
  const key = keys.signingKey(clock());
  log.info(`  try it    ${config.ISSUER}/docs`);
  log.info(`  database  ${placeOf(config.DATABASE_URL)}`);
  log.info(`  key       ${key?.alg} ${key?.kid}`);
  log.info(`  sign-up   ${config.SIGN_UP}`);
}

await start().catch(refuseToStart);
