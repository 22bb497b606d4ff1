import type { Config } from './defaults.ts';

/**
 * The configuration of one of the workers. The settings describe the whole node, so that they mean the same with any
 * number of workers: each worker gets its part of the hashes, of their queue and of the connections.
 */
export function shareOf(config: Config): Config {
  const { WORKERS, HASH_CONCURRENCY, HASH_QUEUE, DATABASE_POOL } = config;
  return Object.freeze({
    ...config,
    // Rounded down, because the memory is limited.
    HASH_CONCURRENCY: Math.max(1, Math.floor(HASH_CONCURRENCY / WORKERS)),
    HASH_QUEUE: Math.ceil(HASH_QUEUE / WORKERS),
    DATABASE_POOL: Math.ceil(DATABASE_POOL / WORKERS),
  });
}
