import { lookup } from 'node:dns/promises';
import { readFileSync, watchFile } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError, isInlineKeySet, readConfig } from './config.ts';
import { buildContext, type Context } from './context.ts';
import { logDestination } from './http/log-destination.ts';
import { buildMetricsApp } from './http/metrics.ts';
import { KeySetError } from './parts/keys/key-set.ts';
import { placeOf } from './schemas/connection-url.ts';
import { EX_CONFIG, explained, listenFault, StartFault } from './start-faults.ts';

const POLL_EVERY = 500;
const DATABASE_PATIENCE = 10_000;
/** For connections and requests, mails that wait, the database: 20 seconds in all, after the delay. */
const END_LIMIT = 20_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What the operator can mend ends the process with one readable message and a code of sysexits.h. */
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

/** The certificate and its key, tried before anything is opened. */
function readTls({ TLS_CERT, TLS_KEY }: Config) {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return undefined;
  try {
    const tls = { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
    createSecureContext(tls);
    return tls;
  } catch {
    throw new ConfigError(['TLS_CERT and TLS_KEY must be a certificate and its key, in PEM']);
  }
}

/** A database that is started together with the service is given a moment. */
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
      // One address: Fastify opens two for "localhost", and waits for the requests of the first alone when it closes.
      host: (await lookup(listener.host, { order: 'ipv4first' })).address,
      port: listener.port,
      listenTextResolver: (address) => `Latchkey listens on ${address}`,
    }),
  );

/** Answers the address. In development a second instance need not be told a second port. */
async function listenForMetrics(app: FastifyInstance, config: Config, log: pino.Logger) {
  const listener = { variable: 'METRICS_PORT', host: config.HOST } as const;
  try {
    return await listen(app, { ...listener, port: config.METRICS_PORT });
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    if (config.NODE_ENV === 'production' || cause?.code !== 'EADDRINUSE') throw error;
    log.warn(`metrics have a free port instead: ${message}`);
    return listen(app, { ...listener, port: 0 });
  }
}

async function start() {
  // The first process of a container hears no signal that it does not ask for.
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

  // A promise that nobody waited for belongs to one request, and the others go on. An exception that nobody caught
  // may have left anything half done: the process ends, and its supervisor starts another.
  process.on('unhandledRejection', (err) => log.error({ err }, 'unforeseen: a promise failed'));
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

/** The first signal ends the process in order, a second one without waiting for balancers, a third at once. */
function followSignals({ config, log, end, hurry }: Ending) {
  // SIGHUP asks for the keys, not for the end.
  const { close } = closeWithGrace(
    {
      delay: config.SHUTDOWN_DELAY + END_LIMIT,
      logger: log,
      skip: ['SIGHUP', 'unhandledRejection', ...SIGNALS],
    },
    async ({ err }) => {
      if (err) {
        log.fatal({ err }, 'ended by an error');
        hurry();
      }
      await end();
    },
  );
  const steps = [close, hurry, () => process.exit(1)];
  answerSignal = (signal) => {
    log.info(`${signal}: ending${steps.length < 3 ? ' sooner' : ''}`);
    steps.shift()?.();
  };
}

/** The key file is read again when it changes, and on SIGHUP. A bad one is said in the log; the old keys stay. */
function followKeys({ config, reloadKeys }: Context, log: pino.Logger) {
  let reloading = Promise.resolve();
  // One after another: of two, the one that reads later must be the last to take hold.
  const reload = () => {
    reloading = reloading.then(reloadKeys).then(
      () => log.info({ event: 'key.rotated' }, 'key set read again'),
      (error) => log.error({ err: error }, 'key set refused: the old keys stay'),
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
