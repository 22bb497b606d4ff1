import { setTimeout as sleep } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import { User } from '../schemas/user.ts';
import type { Database, UserRow } from './database.ts';

/** The database did not answer, or refused for a cause that is not the caller's. */
export class StorageFault extends Error {}

/** Another user has this address. */
export class EmailTaken extends Error {}

/** What a decision says: the user as he is to be (the same object: nothing to write), and a result for the caller. */
export interface Change<T> {
  user: User;
  result: T;
}

const UNIQUE_VIOLATION = new Set(['23505', 'SQLITE_CONSTRAINT_UNIQUE']);
const SERIALIZATION_FAILURE = '40001';
const TRIES = 30;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

const toRow = (user: User): Insertable<UserRow> => ({
  ...user,
  roles: JSON.stringify(user.roles),
  sessions: JSON.stringify(user.sessions),
});

const toUser = (row: Selectable<UserRow>): User =>
  User.parse({ ...row, roles: JSON.parse(row.roles), sessions: JSON.parse(row.sessions) });

/** Rows of `users`, in and out. Every failure of the database is a StorageFault. */
export class Users {
  readonly #db: Database;
  readonly #wrote: (user: User) => void;

  /** `wrote` hears of every row that was written, as it now stands. */
  constructor(db: Database, wrote: (user: User) => void) {
    this.#db = db;
    this.#wrote = wrote;
  }

  findById(id: string): Promise<User | undefined> {
    return this.#findBy('id', id);
  }

  findByEmail(key: string): Promise<User | undefined> {
    return this.#findBy('email_key', key);
  }

  /** Refuses an address that is taken with EmailTaken, also when two come at once. */
  async insert(user: User): Promise<void> {
    try {
      await this.#db.insertInto('users').values(toRow(user)).execute();
    } catch (error) {
      if (UNIQUE_VIOLATION.has(codeOf(error) as string)) throw new EmailTaken();
      throw new StorageFault('insert', { cause: error });
    }
  }

  /**
   * The one way to change a user: read, decide in pure code, write if nobody else has written since, else
   * decide again. `decide` may run several times and must not wait. `undefined`: no such user.
   */
  async change<T>(id: string, decide: (user: User) => Change<T>): Promise<T | undefined> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const user = await this.findById(id);
      if (user === undefined) return undefined;
      const change = decide(user);
      if (change.user === user) return change.result;
      if (await this.#replace(user, change.user)) {
        this.#wrote(change.user);
        return change.result;
      }
      await sleep(Math.random() * Math.min(50, 2 ** attempt));
    }
    throw new StorageFault(`user changed by others ${TRIES} times in a row`);
  }

  /** Users of whom something was revoked at or after `instant` (ms). */
  async revokedSince(instant: number): Promise<User[]> {
    return this.#guarded('revokedSince', async () => {
      const rows = await this.#db
        .selectFrom('users')
        .selectAll()
        .where('revoked_at', '>=', instant)
        .execute();
      return rows.map(toUser);
    });
  }

  /** Removes the emptied rows of users who were deleted before `instant` (ms). */
  async removeDeleted(instant: number): Promise<void> {
    await this.#guarded('removeDeleted', () =>
      this.#db
        .deleteFrom('users')
        .where('revoked_at', '<', instant)
        .where('status', '=', 'deleted')
        .execute(),
    );
  }

  /** Refuses with StorageFault when the database does not answer. */
  async ping(): Promise<void> {
    await this.#guarded('ping', () => sql`select 1`.execute(this.#db));
  }

  async #findBy(column: 'id' | 'email_key', value: string): Promise<User | undefined> {
    return this.#guarded('find', async () => {
      const row = await this.#db
        .selectFrom('users')
        .selectAll()
        .where(column, '=', value)
        .executeTakeFirst();
      return row && toUser(row);
    });
  }

  /** False: somebody else wrote first. */
  async #replace(seen: User, next: User): Promise<boolean> {
    try {
      const { numUpdatedRows } = await this.#db
        .updateTable('users')
        .set({ ...toRow(next), row_version: seen.row_version + 1 })
        .where('id', '=', seen.id)
        .where('row_version', '=', seen.row_version)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    } catch (error) {
      if (codeOf(error) === SERIALIZATION_FAILURE) return false;
      if (UNIQUE_VIOLATION.has(codeOf(error) as string)) throw new EmailTaken();
      throw new StorageFault('replace', { cause: error });
    }
  }

  async #guarded<T>(action: string, query: () => Promise<T>): Promise<T> {
    try {
      return await query();
    } catch (error) {
      throw new StorageFault(action, { cause: error });
    }
  }
}
