import type { SqliteQuery } from './sqlite-connection.ts';

/** A request inside an open transaction. */
export type TransactionRequest =
  | ({ does: 'step'; transaction: number } & SqliteQuery)
  | { does: 'commit' | 'rollback'; transaction: number };

/**
 * What a caller may ask of the database. `run` is a query that commits by itself. A transaction is a number that its
 * owner chose; its queries are steps. A write is answered when it is durable. `erase` removes old versions of rows
 * from the files; if another process prevents that, it is repeated until it succeeds.
 */
export type SqliteRequest =
  | ({ does: 'run' } & SqliteQuery)
  | { does: 'begin'; transaction: number }
  | TransactionRequest
  | { does: 'erase' };

export interface SqliteOptions {
  path: string;
  /** How long a query waits for a lock that another process holds (ms). */
  patience: number;
}
