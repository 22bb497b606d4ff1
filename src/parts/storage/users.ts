import type { Selectable } from 'kysely';
import { IDENTITY_COLUMNS, type IdentityColumn } from '../../schemas/slots.ts';
import { type RevokedUser, User } from '../../schemas/user.ts';
import type { Database } from './database.ts';
import { newDecoy, PROBE } from './decoy-rows.ts';
import { countAbsentUsers, countRows, everyRow } from './every-row.ts';
import {
  isTimeout,
  isUniqueViolation,
  type StorageFault,
  takenOf,
  type UnreadableRow,
} from './faults.ts';
import { Prepared } from './prepared.ts';
import { RevokedUsers } from './revoked-users.ts';
import { type Change, UserChanges } from './user-changes.ts';
import { UserQueries } from './user-queries.ts';
import { removeDeletedUsers } from './user-removal.ts';
import { COLUMNS, parseRow, toRow, type UserRow } from './user-row.ts';
import { findOtherUser, listUsers, type Page } from './user-searches.ts';

export { EmailTaken, IdentityTaken, StorageFault, UnreadableRow } from './faults.ts';
export type { Change } from './user-changes.ts';

export interface UsersListener {
  /** Called with every user that was written, as the row now is. */
  wrote(user: User): void;
  /** Called with every row that could not be read. */
  unreadable(row: UnreadableRow): void;
  /** Called with every failure of the database that is not the caller's. */
  failed?(error: unknown): void;
}

/** The columns that have one row for each value. */
const KEYS = ['id', 'email_key', ...IDENTITY_COLUMNS] as const;
type Key = (typeof KEYS)[number];
type Finders = Record<Key, Prepared<{ key: string }, Selectable<UserRow>>>;

/** Reads and writes the rows of `users`. Every failure of the database is a StorageFault. */
export class Users {
  readonly #queries: UserQueries;
  readonly #changes: UserChanges;
  readonly #revoked: RevokedUsers;
  readonly #findForGuess: Prepared<{ email_key: string; decoy: string }, Selectable<UserRow>>;
  readonly #find: Finders;

  constructor(db: Database, listener: UsersListener) {
    this.#queries = new UserQueries(db, listener);
    this.#revoked = new RevokedUsers(this.#queries);
    this.#find = Object.fromEntries(KEYS.map((key) => [key, findBy(db, key)])) as Finders;
    this.#findForGuess = new Prepared((value) =>
      db
        .selectFrom('users')
        .select(COLUMNS)
        .where('email_key', '=', value('email_key'))
        .unionAll(db.selectFrom('users').select(COLUMNS).where('id', '=', value('decoy'))),
    );
    this.#changes = new UserChanges({
      db,
      find: (id) => this.findById(id),
      wrote: (user) => listener.wrote(user),
      failed: (error) => listener.failed?.(error),
    });
  }

  findById(id: string): Promise<User | undefined> {
    return this.#findBy('id', id);
  }

  findByEmail(key: string): Promise<User | undefined> {
    return this.#findBy('email_key', key);
  }

  /** The user who is linked with this account at the provider of the column. */
  findByIdentity(column: IdentityColumn, identity: string): Promise<User | undefined> {
    return this.#findBy(column, identity);
  }

  /** The user with this address, or else this decoy. One query for both, so that they take as long. */
  async findByEmailOrDecoy(key: string, decoy: string): Promise<User> {
    return this.#queries.run('find', async (db) => {
      // PostgreSQL accepts no NUL in text, so no row has one.
      const email_key = key.includes('\0') ? '' : key;
      const { rows } = await this.#findForGuess.run(db, { email_key, decoy });
      const row = rows.find(({ kind }) => kind !== 'decoy') ?? rows[0];
      return row ? parseRow(User, row) : (newDecoy(decoy) as User);
    });
  }

  /** Refuses an address that is taken with EmailTaken, and an account at a provider with IdentityTaken, even if two users are inserted at the same moment. */
  async insert(user: User): Promise<void> {
    try {
      await this.#queries.run('insert', (db) =>
        db.insertInto('users').values(toRow(user)).execute(),
      );
    } catch (error) {
      const { cause } = error as StorageFault;
      if (isUniqueViolation(cause)) throw takenOf(cause);
      // The answer may have been lost after the commit. No other row has this id, so its presence proves the insert.
      if (isTimeout(cause) || (await this.findById(user.id)) === undefined) throw error;
    }
  }

  /** Adds the users whose addresses and IDs are free, in one commit. Returns how many were added. */
  insertMany(users: User[]): Promise<number> {
    return this.#queries.run('insertMany', async (db) => {
      const added = await db
        .insertInto('users')
        .values(users.map(toRow))
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .execute();
      return added.length;
    });
  }

  /** How many of the users `insertMany` would add, if no one else writes. */
  countAbsent(users: User[]): Promise<number> {
    return countAbsentUsers(this.#queries, users);
  }

  /**
   * The one way to change a user: read the row, decide in pure code, and write if no one else has written since;
   * otherwise read and decide again. `decide` may run several times and must not wait. Returns the result of the
   * decision that was written; undefined if there is no such user. `subject`: an ID, or the row as it was read a moment ago,
   * which saves a read unless it has changed since.
   */
  async change<T>(
    subject: string | User,
    decide: (user: User, witness: User | undefined) => Change<T>,
    findWitness?: (user: User) => Promise<User | undefined>,
  ): Promise<T | undefined> {
    return (await this.#changes.change(subject, decide, findWitness))?.result;
  }

  /** As `change`. Returns the row, too. */
  changeRow<T>(
    subject: string | User,
    decide: (user: User) => Change<T>,
  ): Promise<Change<T> | undefined> {
    return this.#changes.change(subject, decide);
  }

  /**
   * Everything revoked at or after `instant` (ms), in pages of at most `limit` users with their ended sessions. A row
   * whose sessions cannot be read comes without sessions.
   */
  revokedSince(instant: number, limit: number): AsyncGenerator<RevokedUser[]> {
    return this.#revoked.since(instant, limit);
  }

  /** Ordered by id, so oldest first; a search by address is ordered by address. Skips deleted users and unreadable rows. */
  list(page: Page): Promise<User[]> {
    return listUsers(this.#queries, page);
  }

  /** Every row in pages, those of deleted users too, ordered by id. An unreadable one is undefined, and is reported. */
  everyRow(limit: number): AsyncGenerator<(User | undefined)[]> {
    return everyRow(this.#queries, limit);
  }

  /** How many rows `everyRow` reads. */
  count(): Promise<number> {
    return countRows(this.#queries);
  }

  /** An active person other than `id` who has this role and a password. Reads only rows with a role. */
  findOther(id: string, role: string): Promise<User | undefined> {
    return findOtherUser(this.#queries, id, role);
  }

  /** Removes the rows of users who were deleted before `instant` (ms), and erases old versions of all rows. */
  removeDeleted(instant: number): Promise<void> {
    return removeDeletedUsers(this.#queries, instant);
  }

  /** A small durable write, to a row of no user. Throws StorageFault if the database takes no writes. */
  async tryWriting(): Promise<void> {
    await this.#queries.run('tryWriting', (db) =>
      db
        .updateTable('users')
        .set(({ eb }) => ({ row_version: eb('row_version', '+', 1) }))
        .where('id', '=', PROBE)
        .execute(),
    );
  }

  async #findBy(column: Key, value: string): Promise<User | undefined> {
    // PostgreSQL accepts no NUL in text, so no row has one.
    if (value.includes('\0')) return undefined;
    return this.#queries.run('find', async (db) => {
      const { rows } = await this.#find[column].run(db, { key: value });
      const [row] = rows;
      return row && parseRow(User, row);
    });
  }
}

const findBy = (db: Database, column: Key) =>
  new Prepared<{ key: string }, Selectable<UserRow>>((value) =>
    db.selectFrom('users').select(COLUMNS).where(column, '=', value('key')),
  );
