import {
  type Aggregator,
  Counter,
  collectDefaultMetrics,
  Gauge,
  type Metric,
  Registry,
} from 'prom-client';
import { RequestDurations } from './request-durations.ts';

/** The metrics for Prometheus. No user, address or token is ever a label. */
export interface Metrics {
  registry: Registry;
  requests: RequestDurations;
  mails: Counter<'outcome'>;
  refreshes: Counter<'outcome'>;
}

/** The parts that a scrape reads. */
interface Measured {
  hashQueue: { length: number };
  revocationFeed: { isFresh: boolean };
  unreadableRows: { count: number };
  countsOfAllNodes: { isAway: boolean } | undefined;
}

/** Metrics of a process whose sum over several would say nothing. By default `prom-client` averages or omits them. */
const COMBINED: [RegExp, Aggregator][] = [
  // One slow worker must not hide behind the others.
  [/^nodejs_eventloop_lag_(?!min)/, 'max'],
  [/^process_start_time_seconds$/, 'min'],
  [/^process_max_fds$/, 'min'],
];

/** With what every process tells about itself. */
export function buildRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const metric of registry.getMetricsAsArray()) {
    const [, aggregator] = COMBINED.find(([name]) => name.test(metric.name)) ?? [];
    if (aggregator) metric.aggregator = aggregator;
  }
  return registry;
}

export function buildMetrics({
  hashQueue,
  revocationFeed,
  unreadableRows,
  countsOfAllNodes,
}: Measured): Metrics {
  const registry = buildRegistry();
  const registers = [registry];
  new Gauge({
    name: 'latchkey_hash_queue_length',
    help: 'Password hashes waiting in the queue.',
    registers,
    collect() {
      this.set(hashQueue.length);
    },
  });
  new Gauge({
    name: 'latchkey_revocations_fresh',
    help: '1 while the revocation snapshot is up to date.',
    aggregator: 'min',
    registers,
    collect() {
      this.set(revocationFeed.isFresh ? 1 : 0);
    },
  });
  new Gauge({
    name: 'latchkey_unreadable_rows',
    help: 'User rows that this node could not read since it started. The log has their IDs.',
    // Each worker polls, and finds the same rows.
    aggregator: 'max',
    registers,
    collect() {
      this.set(unreadableRows.count);
    },
  });
  if (countsOfAllNodes) {
    new Gauge({
      name: 'latchkey_redis_up',
      help: '1 while Redis counts the requests of all nodes. Only with REDIS_URL.',
      aggregator: 'min',
      registers,
      collect() {
        this.set(countsOfAllNodes.isAway ? 0 : 1);
      },
    });
  }
  const requests = new RequestDurations();
  registry.registerMetric(requests as unknown as Metric);
  return {
    registry,
    requests,
    mails: new Counter({
      name: 'latchkey_mails_total',
      help: 'Mails by outcome: sent, retried or given up.',
      labelNames: ['outcome'],
      registers,
    }),
    refreshes: new Counter({
      name: 'latchkey_refreshes_total',
      help: 'Refreshes: rotated, caught_up (the row had lost a write), repeated, reused, invalid.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
