import {
  type Aggregator,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type Metric,
  Registry,
} from 'prom-client';
import { type Described, METRICS, type MetricName } from './metric-catalogue.ts';
import { RequestDurations } from './request-durations.ts';

/** What the service counts. */
export interface Metrics {
  registry: Registry;
  requests: RequestDurations;
  refusals: Counter;
  signIns: Counter;
  refreshes: Counter;
  mails: Counter;
  databaseErrors: Counter;
  /** Seconds. */
  hashWaits: Histogram;
  /** Seconds. */
  polls: Histogram;
}

/** Metrics of a process whose sum over several would say nothing. By default `prom-client` averages or omits them. */
const COMBINED: [RegExp, Aggregator][] = [
  // One slow worker must not hide behind the others.
  [/^nodejs_eventloop_lag_(?!min)/, 'max'],
  [/^process_start_time_seconds$/, 'min'],
  [/^process_max_fds$/, 'min'],
];

/** Seconds. */
const WAITS = [0.001, 0.01, 0.05, 0.25, 1, 5];

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

/** As the catalogue describes it. */
function described(registry: Registry, name: MetricName) {
  const { help, labels = {}, ofWorkers }: Described = METRICS[name];
  const labelNames = Object.keys(labels);
  return {
    name,
    help,
    labelNames,
    aggregator: ofWorkers ?? ('sum' as const),
    registers: [registry],
  };
}

/** Every combination of labels whose values are known. */
function combinations(labels: NonNullable<Described['labels']>): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [label, values = []] of Object.entries(labels))
    all = all.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  return all;
}

/** Begins at 0 with every combination of labels: Prometheus does not see the rise of a series that begins at 1. */
export function counter(registry: Registry, name: MetricName): Counter {
  const made = new Counter(described(registry, name));
  const { labels = {} }: Described = METRICS[name];
  for (const combination of combinations(labels)) made.inc(combination, 0);
  return made;
}

const histogram = (registry: Registry, name: MetricName): Histogram =>
  new Histogram({ ...described(registry, name), buckets: WAITS });

/** Labels and value of one series. */
export type Reading = [labels: Record<string, string>, value: number];

/** `read` is asked at each scrape: for the value, or for each series. */
export function gauge(registry: Registry, name: MetricName, read: () => number | Reading[]): void {
  new Gauge({
    ...described(registry, name),
    collect() {
      const value = read();
      const series: Reading[] = typeof value === 'number' ? [[{}, value]] : value;
      this.reset();
      for (const [labels, each] of series) this.set(labels, each);
    },
  });
}

export function buildMetrics(): Metrics {
  const registry = buildRegistry();
  const requests = new RequestDurations();
  registry.registerMetric(requests as unknown as Metric);
  return {
    registry,
    requests,
    refusals: counter(registry, 'latchkey_refusals_total'),
    signIns: counter(registry, 'latchkey_sign_ins_total'),
    refreshes: counter(registry, 'latchkey_refreshes_total'),
    mails: counter(registry, 'latchkey_mails_total'),
    databaseErrors: counter(registry, 'latchkey_database_errors_total'),
    hashWaits: histogram(registry, 'latchkey_hash_wait_seconds'),
    polls: histogram(registry, 'latchkey_revocation_poll_seconds'),
  };
}
