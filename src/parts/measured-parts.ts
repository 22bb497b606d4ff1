import type { Registry } from 'prom-client';
import type { Clock } from '../rules/clock.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { gauge } from './metrics.ts';
import type { PoolUse } from './storage/database.ts';

/** The parts that a scrape reads. */
interface Measured {
  hashQueue: { length: number };
  revocations: { size: number };
  revocationFeed: { isFresh: boolean; age: number };
  revocationLog: { waiting: number };
  unreadableRows: { count: number };
  keys: Pick<KeyRing, 'lifetimes'>;
  clock: Clock;
  /** Undefined on SQLite. */
  pool: PoolUse | undefined;
  /** Undefined without Redis. */
  countsOfAllNodes: { isAway: boolean } | undefined;
}

/** The gauges of a process that serves requests. */
export function measureParts(registry: Registry, parts: Measured): void {
  const { hashQueue, revocations, revocationFeed, revocationLog, unreadableRows } = parts;
  const { pool, countsOfAllNodes, keys, clock } = parts;
  gauge(registry, 'latchkey_hash_queue_length', () => hashQueue.length);
  gauge(registry, 'latchkey_revocations', () => revocations.size);
  gauge(registry, 'latchkey_revocations_age_seconds', () => revocationFeed.age / 1_000);
  gauge(registry, 'latchkey_revocations_fresh', () => (revocationFeed.isFresh ? 1 : 0));
  gauge(registry, 'latchkey_revocation_readers', () => revocationLog.waiting);
  gauge(registry, 'latchkey_unreadable_rows', () => unreadableRows.count);
  gauge(registry, 'latchkey_keys', () =>
    keys
      .lifetimes(clock())
      .flatMap(({ use, states }) =>
        Object.entries(states).map(([state, count]) => [{ use, state }, count]),
      ),
  );
  gauge(registry, 'latchkey_keys_end_timestamp_seconds', () =>
    keys
      .lifetimes(clock())
      .filter(({ ends }) => ends !== Infinity)
      .map(({ use, ends }) => [{ use }, ends / 1_000]),
  );
  if (pool) {
    gauge(registry, 'latchkey_database_connections', () => [
      [{ state: 'busy' }, pool.totalCount - pool.idleCount],
      [{ state: 'idle' }, pool.idleCount],
    ]);
    gauge(registry, 'latchkey_database_waiting', () => pool.waitingCount);
  }
  if (countsOfAllNodes)
    gauge(registry, 'latchkey_redis_up', () => (countsOfAllNodes.isAway ? 0 : 1));
}
