import { FACTORS } from '../rules/factors/factors.ts';

/** What Prometheus, the dashboard and the alerts know about a metric. No user, address or token is ever a label. */
export interface Described {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  /** Each label with its values; undefined: too many to list. */
  labels?: Record<string, readonly string[] | undefined>;
  /** How the figures of several workers become one; without it they are added up. */
  ofWorkers?: 'max' | 'min';
}

/** Every metric of the service itself. `prom-client` adds those of the process (`process_…`, `nodejs_…`). */
export const METRICS = {
  latchkey_request_duration_seconds: {
    type: 'histogram',
    help: 'Requests by route and status.',
    labels: { method: undefined, route: undefined, status: undefined },
  },
  latchkey_refusals_total: {
    type: 'counter',
    help: 'Refused requests by problem code; throttled is a guess that came too early.',
    labels: { code: undefined },
  },
  latchkey_sign_ins_total: {
    type: 'counter',
    help: 'Sign-ins by way and result; challenged waits for its second step.',
    labels: {
      way: [...Object.keys(FACTORS), 'client_secret'],
      result: ['ok', 'challenged', 'refused', 'throttled'],
    },
  },
  latchkey_refreshes_total: {
    type: 'counter',
    help: 'Refreshes; caught_up: the row had lost a write; reused: a token was copied, and its session ended; unproven: the DPoP proof of its key was missing.',
    labels: { outcome: ['rotated', 'caught_up', 'repeated', 'reused', 'invalid', 'unproven'] },
  },
  latchkey_hash_queue_length: { type: 'gauge', help: 'Password hashes waiting in the queue.' },
  latchkey_hash_wait_seconds: { type: 'histogram', help: 'How long password hashes waited.' },
  latchkey_revocations: {
    type: 'gauge',
    help: 'Sessions and users in the revocation snapshot.',
    ofWorkers: 'max',
  },
  latchkey_revocations_age_seconds: {
    type: 'gauge',
    help: 'Time since the last successful poll for revocations.',
    ofWorkers: 'max',
  },
  latchkey_revocations_fresh: {
    type: 'gauge',
    help: '1 while the revocation snapshot is up to date.',
    ofWorkers: 'min',
  },
  latchkey_revocation_poll_seconds: {
    type: 'histogram',
    help: 'How long successful polls for revocations took.',
  },
  latchkey_revocation_readers: {
    type: 'gauge',
    help: 'Services that wait for the next revocation.',
  },
  latchkey_keys: {
    type: 'gauge',
    help: 'Keys by use and state, as `latchkey keys status` shows them.',
    labels: {
      use: ['access_tokens', 'own_tokens'],
      state: ['published', 'signing', 'verifying', 'gone'],
    },
    ofWorkers: 'max',
  },
  latchkey_keys_end_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last key of this use expires; missing: never.',
    labels: { use: ['access_tokens', 'own_tokens'] },
    ofWorkers: 'min',
  },
  latchkey_database_errors_total: {
    type: 'counter',
    help: 'Failed database calls; lost_race: given up after many tries.',
    labels: {
      kind: ['timeout', 'unreachable', 'read_only', 'disk_full', 'lost_race', 'other'],
    },
  },
  latchkey_database_connections: {
    type: 'gauge',
    help: 'Connections to PostgreSQL.',
    labels: { state: ['busy', 'idle'] },
  },
  latchkey_database_waiting: {
    type: 'gauge',
    help: 'Calls that wait for a connection to PostgreSQL.',
  },
  latchkey_unreadable_rows: {
    type: 'gauge',
    help: 'User rows that this node could not read since it started. The log has their IDs.',
    // Each worker polls, and finds the same rows.
    ofWorkers: 'max',
  },
  latchkey_mails_total: {
    type: 'counter',
    help: 'Mails by outcome.',
    labels: { outcome: ['sent', 'retried', 'given_up'] },
  },
  latchkey_redis_up: {
    type: 'gauge',
    help: '1 while Redis counts the requests of all nodes. Only with `REDIS_URL`.',
    ofWorkers: 'min',
  },
  latchkey_workers: {
    type: 'gauge',
    help: 'Workers that serve requests. Only with several `WORKERS`.',
  },
  latchkey_worker_starts_total: {
    type: 'counter',
    help: 'Workers that got ready: more than `WORKERS` if some were replaced.',
  },
} as const satisfies Record<`latchkey_${string}`, Described>;

export type MetricName = keyof typeof METRICS;
