import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../config.ts';
import { Peers } from '../parts/peers.ts';
import { stepsOut } from './ending.ts';
import { listenForRequests } from './listening.ts';
import type { Order, Report } from './messages.ts';
import { buildService, greet, type Surroundings } from './serving.ts';

/** The first worker: it starts before the others. */
const FIRST = 1;

/** If the primary has gone, nothing needs to be reported. */
const report = (what: Report): void => {
  process.send?.(what, undefined, undefined, () => {});
};

/** One of several processes that share the port. It takes its orders from the primary, and signals when that is gone. */
export async function runWorker(
  config: Config,
  { log, signals, tls }: Surroundings,
): Promise<void> {
  // Ctrl-C and supervisors send a signal to every process of the node; the primary alone counts them.
  signals.ignore();
  process.on('SIGHUP', () => {});
  const peers = new Peers((told) => report({ type: 'tell', told }));
  const ready = Promise.withResolvers<{
    step(): void;
    reloadKeys(): void;
    measure(): Promise<void>;
  }>();
  let step: () => void = () => process.exit(0);
  process.on('message', (order: Order) => {
    if (order.type === 'tell') peers.receive(order.told);
    else if (order.type === 'end') step();
    else if (order.type === 'reload-keys') ready.promise.then(({ reloadKeys }) => reloadKeys());
    else ready.promise.then(({ measure }) => measure());
  });

  const { context, app, run } = await buildService(config, { log, tls, peers });
  await listenForRequests(app, config);
  const { reloadKeys, end } = run();
  step = stepsOut({
    config,
    log,
    hurry: () => context.shutdown.hurry(),
    failing: () => report({ type: 'failing' }),
    end: async () => {
      await end();
      await context.close();
    },
  });
  const { registry } = context.metrics;
  ready.resolve({
    step,
    reloadKeys,
    measure: async () => report({ type: 'metrics', snapshot: await registry.getMetricsAsJSON() }),
  });
  const self = cluster.worker as Worker;
  // Without a primary nobody would ever stop this process.
  self.once('disconnect', () => {
    // Otherwise Node would exit at once, in the middle of requests.
    self.exitedAfterDisconnect = true;
    signals.follow(step, log);
    log.error('the primary process is gone: shutting down');
    step();
  });
  report({ type: 'ready' });
  if (self.id === FIRST) greet(context, log);
}
