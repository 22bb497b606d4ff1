import type { z } from 'zod';
import type { Database } from './database.ts';
import { isLostRace, StorageFault, UnreadableRow } from './faults.ts';
import { backOff, TRIES } from './tries.ts';
import { parseRow } from './user-row.ts';

/** Runs queries on the table of users, and reports the rows that cannot be read. */
export class UserQueries {
  readonly db: Database;
  readonly #reportUnreadable: (row: UnreadableRow) => void;

  constructor(db: Database, reportUnreadable: (row: UnreadableRow) => void) {
    this.db = db;
    this.#reportUnreadable = reportUnreadable;
  }

  /** Repeats a query that lost a race, as it changed nothing. Every failure is a StorageFault. */
  async run<T>(action: string, query: (db: Database) => Promise<T>, round = 1): Promise<T> {
    try {
      return await query(this.db);
    } catch (error) {
      if (error instanceof UnreadableRow) {
        this.#reportUnreadable(error);
        throw error;
      }
      if (!isLostRace(error) || round === TRIES) throw new StorageFault(action, { cause: error });
    }
    await backOff(round);
    return this.run(action, query, round + 1);
  }

  /** The parsed row; undefined if it cannot be read, which is reported. */
  parse<T>(schema: z.ZodType<T>, row: Parameters<typeof parseRow>[1]): T | undefined {
    try {
      return parseRow(schema, row);
    } catch (error) {
      this.#reportUnreadable(error as UnreadableRow);
      return undefined;
    }
  }
}
