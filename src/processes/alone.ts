import type { Config } from '../config.ts';
import { buildMetricsApp } from '../http/metrics.ts';
import { Peers } from '../parts/peers.ts';
import { stepsOut } from './ending.ts';
import { listenForMetrics, listenForRequests } from './listening.ts';
import { buildService, greet, type Surroundings } from './serving.ts';

/** A node of one process. */
export async function runAlone(config: Config, { log, signals, tls }: Surroundings): Promise<void> {
  const { context, app, run } = await buildService(config, { log, tls, peers: new Peers() });
  const metricsApp = buildMetricsApp(context.metrics);
  const metricsAddress = await listenForMetrics(metricsApp, config, log);
  await listenForRequests(app, config);
  const { reloadKeys, end } = run();
  process.on('SIGHUP', reloadKeys);
  greet(context, log);
  log.info(`  metrics   ${metricsAddress}/metrics`);
  const step = stepsOut({
    config,
    log,
    hurry: () => context.shutdown.hurry(),
    end: async () => {
      await end();
      await metricsApp.close();
      await context.close();
    },
  });
  signals.follow(step, log);
}
