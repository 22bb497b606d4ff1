import type { pino } from 'pino';
import type { Config } from '../config.ts';
import { buildMetricsApp } from '../http/metrics.ts';
import { buildRegistry, counter, gauge } from '../parts/metrics.ts';
import { WorkerMetrics } from '../parts/worker-metrics.ts';
import type { StartFault } from '../start-faults.ts';
import { Crew } from './crew.ts';
import { type Signals, stepsOut } from './ending.ts';
import { listenForMetrics } from './listening.ts';

/** How much longer than a worker the primary waits for the end (ms). */
const LONGER = 1_000;

interface Surroundings {
  log: pino.Logger;
  signals: Signals;
  /** Ends the process, and tells the operator why. */
  refuse(fault: StartFault): void;
}

/**
 * The process that `WORKERS` start from. It accepts the connections and hands them out in turn, replaces a worker that
 * ends, passes on what the workers tell each other, and serves the metrics. It answers no request itself.
 */
export async function runPrimary(
  config: Config,
  { log, signals, refuse }: Surroundings,
): Promise<void> {
  const registry = buildRegistry();
  const metrics = new WorkerMetrics(registry);
  const crew = new Crew({
    count: config.WORKERS,
    log,
    fail: refuse,
    heard: (worker, report) => {
      if (report.type === 'tell') crew.sendAll(report, worker);
      if (report.type === 'metrics') metrics.learn(worker.id, report.snapshot);
      if (report.type === 'ready') starts.inc();
    },
    ended: ({ id }) => metrics.forget(id),
  });
  gauge(registry, 'latchkey_workers', () => crew.ready.length);
  const starts = counter(registry, 'latchkey_worker_starts_total');
  // No worker outlives this process, whatever ends it.
  process.on('exit', () => crew.kill());
  process.on('SIGHUP', () => crew.sendAll({ type: 'reload-keys' }));

  const ask = () =>
    crew.ready.map((worker) => ({
      id: worker.id,
      ask: () => crew.send(worker, { type: 'measure' }),
    }));
  const metricsApp = buildMetricsApp({
    registry: { contentType: metrics.contentType, metrics: () => metrics.metrics(ask()) },
  });
  const metricsAddress = await listenForMetrics(metricsApp, config, log);
  await crew.start();
  log.info(`  metrics   ${metricsAddress}/metrics`);
  const step = stepsOut({
    config,
    log,
    more: LONGER,
    hurry: () => crew.sendAll({ type: 'end' }),
    end: async () => {
      await crew.end();
      await metricsApp.close();
    },
  });
  signals.follow(step, log);
}
