import { watchFile } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { pino } from 'pino';
import { buildApp } from '../app.ts';
import type { Config } from '../config.ts';
import { buildContext, type Context } from '../context.ts';
import type { Peers } from '../parts/peers.ts';
import { placeOf } from '../schemas/connection-url.ts';
import { isInlineKeySet } from '../schemas/jwk.ts';
import { StartFault } from '../start-faults.ts';
import type { Signals } from './ending.ts';

/** Interval of the revocation poll (ms). */
export const POLL_EVERY = 500;
/** How long to wait for a database at start (ms). */
const DATABASE_PATIENCE = 10_000;

/** What `main.ts` hands to a process that serves requests. */
export interface Surroundings {
  log: pino.Logger;
  signals: Signals;
  tls: Parameters<typeof buildApp>[1]['tls'];
}

/** Builds the context, and waits for a database that is still starting. */
async function buildPatiently(config: Config, log: pino.Logger, peers: Peers): Promise<Context> {
  const patience = AbortSignal.timeout(DATABASE_PATIENCE);
  const build = () => buildContext(config, { logger: log, peers });
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

/** The service in this process. Opens no port. */
export async function buildService(
  config: Config,
  { log, tls, peers }: Pick<Surroundings, 'log' | 'tls'> & { peers: Peers },
) {
  const context = await buildPatiently(config, log, peers);
  const app = await buildApp(context, { logger: log, tls });

  /** Begins what runs beside the requests. Returns how to reload the keys, and how to end everything. */
  function run() {
    const stopPolling = context.revocationFeed.follow(POLL_EVERY, (error) =>
      log.error({ err: error }, 'revocations: poll failed'),
    );
    const reloadKeys = followKeys(context, log);
    // It affects one request, and the others go on.
    process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));
    const end = async () => {
      // An answer that waits for revocations would hold up the end. Not before: its client would only ask this node again.
      void context.shutdown.closing.then(() => context.revocationLog.release());
      await context.shutdown.leave(app.server);
      await app.close();
      stopPolling();
    };
    return { reloadKeys, end };
  }
  return { context, app, run };
}

/** Reloads the keys when the key file changes. Returns how to do so now. An invalid set is logged; the old keys stay. */
function followKeys({ config, reloadKeys }: Context, log: pino.Logger): () => void {
  let reloading = Promise.resolve();
  // One at a time, so that the last file read is the one in use.
  const reload = () => {
    reloading = reloading.then(reloadKeys).then(
      () => log.info({ event: 'key.rotated' }, 'key set reloaded'),
      (error) => log.error({ err: error }, 'key set refused: old keys stay in use'),
    );
  };
  if (!isInlineKeySet(config.SIGNING_KEYS)) {
    watchFile(config.SIGNING_KEYS, { interval: 1_000, persistent: false }, reload);
  }
  return reload;
}

export function greet({ config, keys, clock }: Context, log: pino.Logger): void {
  const key = keys.signingKey(clock());
  log.info(`  try it    ${config.ISSUER}/docs`);
  log.info(`  database  ${placeOf(config.DATABASE_URL)}`);
  log.info(`  key       ${key?.alg} ${key?.kid}`);
  log.info(`  sign-up   ${config.SIGN_UP}`);
}
