import type { z } from 'zod';
import type { Database } from './database.ts';
import { isLostRace, isUniqueViolation, StorageFault, UnreadableRow } from './faults.ts';
import { backOff, TRIES } from './tries.ts';
import { parseRow } from './user-row.ts';

interface Listener {
  unreadable(row: UnreadableRow): void;
  failed?(error: unknown): void;
}

/** Runs queries on the table of users, and reports the rows that cannot be read. */
export class UserQueries {
  readonly db: Database;
  readonly #listener: Listener;

  constructor(db: Database, listener: Listener) {
    this.db = db;
    this.#listener = listener;
  }

  /** Repeats a query that lost a race, as it changed nothing. Every failure is a StorageFault. */
  async run<T>(action: string, query: (db: Database) => Promise<T>, round = 1): Promise<T> {
    try {
      return await query(this.db);
    } catch (error) {
      if (error instanceof UnreadableRow) {
        this.#listener.unreadable(error);
        throw error;
      }
      if (!isLostRace(error) || round === TRIES) {
        if (!isUniqueViolation(error)) this.#listener.failed?.(error);
        throw new StorageFault(action, { cause: error });
      }
    }
    await backOff(round);
    return this.run(action, query, round + 1);
  }

  /** The parsed row; undefined if it cannot be read, which is reported. */
  parse<T>(schema: z.ZodType<T>, row: Parameters<typeof parseRow>[1]): T | undefined {
    try {
      return parseRow(schema, row);
    } catch (error) {
      this.#listener.unreadable(error as UnreadableRow);
      return undefined;
    }
  }
}
