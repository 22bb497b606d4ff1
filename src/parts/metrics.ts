import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
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
}

export function buildMetrics({ hashQueue, revocationFeed, unreadableRows }: Measured): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
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
    registers,
    collect() {
      this.set(revocationFeed.isFresh ? 1 : 0);
    },
  });
  new Gauge({
    name: 'latchkey_unreadable_rows',
    help: 'User rows that this node could not read since it started. The log has their IDs.',
    registers,
    collect() {
      this.set(unreadableRows.count);
    },
  });
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
