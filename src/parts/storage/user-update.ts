import type { UpdateResult } from 'kysely';
import type { User } from '../../schemas/user.ts';
import type { Database } from './database.ts';
import { Prepared } from './prepared.ts';
import { changedColumns, type UserRow } from './user-row.ts';

type Values = Partial<UserRow> & { seen: number };

/** The compare-and-swap of a row. Names only the columns that change, with one statement for each set of them. */
export class UserUpdate {
  readonly #db: Database;
  /** By columns. The decisions of `rules/` change a few dozen different sets. */
  readonly #statements = new Map<string, Prepared<Values, UpdateResult>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** False: the row has changed since it was read. `db`: a transaction, if there is one. */
  async run(seen: User, next: User, db: Database = this.#db): Promise<boolean> {
    const changed = changedColumns(seen, next);
    const { numAffectedRows } = await this.#statementFor(changed).run(db, {
      ...changed,
      id: seen.id,
      seen: seen.row_version,
    });
    return numAffectedRows === 1n;
  }

  #statementFor(changed: Partial<UserRow>): Prepared<Values, UpdateResult> {
    const columns = Object.keys(changed) as (keyof UserRow)[];
    const key = columns.join();
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = this.#prepare(columns);
      this.#statements.set(key, statement);
    }
    return statement;
  }

  #prepare(columns: (keyof UserRow)[]): Prepared<Values, UpdateResult> {
    return new Prepared((value) =>
      this.#db
        .updateTable('users')
        .set(Object.fromEntries(columns.map((column) => [column, value(column)])))
        .set(({ eb }) => ({ row_version: eb('row_version', '+', 1) }))
        .where('id', '=', value('id') as string)
        .where('row_version', '=', value('seen')),
    );
  }
}
