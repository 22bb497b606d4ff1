import { readFileSync, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { type Config, ConfigError, EX_CONFIG, isInlineKeySet, readConfig } from './config.ts';
import { buildContext, type Context } from './context.ts';
import { KeySetError } from './domain/keys/key-set.ts';
import { logDestination } from './http/log-destination.ts';
import { buildMetricsApp } from './http/metrics.ts';

const POLL_EVERY = 1_000;
const CLOSE_WITHIN = 10_000;

/** A mistake of the operator ends the process with one readable message and sysexits.h's EX_CONFIG. */
function refuseToStart(error: unknown): never {
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

async function start() {
  const config = readConfig(process.env, { memoryLimit: process.constrainedMemory() });
  const tls = readTls(config);
  const log = pino({ level: config.LOG_LEVEL }, logDestination(process.stdout.isTTY));
  const context = await buildContext(config, { logger: log });
  const app = await buildApp(context, { logger: log, tls });
  await app.listen({
    host: config.HOST,
    port: config.PORT,
    listenTextResolver: (address) => `Latchkey listens on ${address}`,
  });

  const metricsApp = buildMetricsApp(context.metrics);
  await metricsApp.listen({ host: config.HOST, port: config.METRICS_PORT });

  const poll = pollRevocations(context, log);
  followKeys(context, log);
  greet(context, log);

  // A promise that nobody waited for belongs to one request, and the others go on. An exception that nobody caught
  // may have left anything half done: the process ends, and its supervisor starts another.
  process.on('unhandledRejection', (err) => log.error({ err }, 'unforeseen: a promise failed'));
  // SIGHUP asks for the keys, not for the end.
  closeWithGrace(
    { delay: CLOSE_WITHIN, logger: false, skip: ['SIGHUP', 'unhandledRejection'] },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'ended by an error');
      else log.info(`${signal}: ending`);
      clearInterval(poll);
      await app.close();
      await context.close();
    },
  );
}

/** One poll at a time: a database that hangs is asked once, and not once a second. */
function pollRevocations({ revocationFeed }: Context, log: pino.Logger): NodeJS.Timeout {
  let isPolling = false;
  return setInterval(async () => {
    if (isPolling) return;
    isPolling = true;
    await revocationFeed
      .poll()
      .catch((error) => log.error({ err: error }, 'revocations: poll failed'));
    isPolling = false;
  }, POLL_EVERY);
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
  const database = config.DATABASE_URL.startsWith('file:')
    ? config.DATABASE_URL
    : new URL(config.DATABASE_URL);
  const key = keys.signingKey(clock());
  log.info(`  try it    ${config.ISSUER}/docs`);
  log.info(
    `  database  ${typeof database === 'string' ? database : `${database.protocol}//${database.host}${database.pathname}`}`,
  );
  log.info(`  key       ${key?.alg} ${key?.kid}`);
  log.info(`  sign-up   ${config.SIGN_UP}`);
}

await start().catch(refuseToStart);
