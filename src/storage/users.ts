import { setTimeout as sleep } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import { User } from '../schemas/user.ts';
import { type Database, DECOY, type UserRow } from './database.ts';
import { isLostRace, isTimeout, isUniqueViolation } from './faults.ts';
import { RowTurns } from './row-turns.ts';

/** The database did not answer, or refused for a cause that is not the caller's. */
export class StorageFault extends Error {}

/** Another user has this address. */
export class EmailTaken extends Error {}

/** What a decision says: the user as he is to be (the same object: nothing to write), and a result for the caller. */
export interface Change<T> {
  user: User;
  result: T;
  /** Another user who must still be as he was read when this is written, in one commit with it. */
  witness?: User;
}

const TRIES = 30;

/** Before the next try, the longer the more often it was lost, and never as long as the others'. */
const backOff = (attempt: number) => sleep(Math.random() * Math.min(50, 2 ** attempt));

/** A LIKE pattern for what starts with `prefix`, taken literally. */
const likePrefix = (prefix: string): string => `${prefix.replace(/[\\%_]/g, '\\$&')}%`;

const toRow = (user: User): Insertable<UserRow> => ({
  ...user,
  roles: JSON.stringify(user.roles),
  sessions: JSON.stringify(user.sessions),
  throttle: JSON.stringify(user.throttle),
  mfa: JSON.stringify(user.mfa),
});

const toUser = (row: Selectable<UserRow>): User =>
  User.parse({
    ...row,
    roles: JSON.parse(row.roles),
    sessions: JSON.parse(row.sessions),
    throttle: JSON.parse(row.throttle),
    mfa: JSON.parse(row.mfa),
  });

/** Rolls a transaction back. */
class LostRace extends Error {}

/** The compare-and-swap. False: the row is no longer the one that was seen. */
async function writeOver(db: Database, seen: User, next: User): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ ...toRow(next), row_version: seen.row_version + 1 })
    .where('id', '=', seen.id)
    .where('row_version', '=', seen.row_version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** What a page of users is picked by. */
export interface Page {
  kind: User['kind'];
  /** The id of the last row of the page before. */
  after?: string | undefined;
  emailPrefix?: string | undefined;
  limit: number;
}

/** Rows of `users`, in and out. Every failure of the database is a StorageFault. */
export class Users {
  readonly #db: Database;
  readonly #wrote: (user: User) => void;
  readonly #turns = new RowTurns();

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
      await this.#guarded('insert', () =>
        this.#db.insertInto('users').values(toRow(user)).execute(),
      );
    } catch (error) {
      const { cause } = error as StorageFault;
      if (isUniqueViolation(cause)) throw new EmailTaken();
      // The answer may have been lost after the commit. No other row has this id, so the row tells.
      if (isTimeout(cause) || (await this.findById(user.id)) === undefined) throw error;
    }
  }

  /**
   * The one way to change a user: read, decide in pure code, write if nobody else has written since, else
   * decide again. `decide` may run several times and must not wait. `undefined`: no such user.
   */
  async change<T>(
    id: string,
    decide: (user: User, witness: User | undefined) => Change<T>,
    findWitness?: (user: User) => Promise<User | undefined>,
  ): Promise<T | undefined> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const user = await this.findById(id);
      if (user === undefined) return undefined;
      const change = decide(user, await findWitness?.(user));
      if (change.user === user) return change.result;
      if (await this.#replace(user, change)) {
        this.#wrote(change.user);
        return change.result;
      }
      await backOff(attempt);
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

  /** In the order of their ids, so oldest first. Deleted users are not there. */
  async list({ kind, after, emailPrefix, limit }: Page): Promise<User[]> {
    return this.#guarded('list', async () => {
      let query = this.#db
        .selectFrom('users')
        .selectAll()
        .where('kind', '=', kind)
        .where('status', '!=', 'deleted');
      if (after !== undefined) query = query.where('id', '>', after);
      if (emailPrefix !== undefined) {
        query = query.where(sql<boolean>`email_key like ${likePrefix(emailPrefix)} escape '\\'`);
      }
      const rows = await query.orderBy('id').limit(limit).execute();
      return rows.map(toUser);
    });
  }

  /** Some active person with this role and a password who is not `id`. Reads through the table. */
  async findOther(id: string, role: string): Promise<User | undefined> {
    return this.#guarded('findOther', async () => {
      const row = await this.#db
        .selectFrom('users')
        .selectAll()
        .where('kind', '=', 'person')
        .where('status', '=', 'active')
        .where('id', '!=', id)
        .where('password_hash', 'is not', null)
        .where('roles', 'like', `%${JSON.stringify(role)}%`)
        .limit(1)
        .executeTakeFirst();
      return row && toUser(row);
    });
  }

  /** Adds those whose address is free, in one commit; answers how many that were. */
  async insertMany(users: User[]): Promise<number> {
    return this.#guarded('insertMany', async () => {
      const added = await this.#db
        .insertInto('users')
        .values(users.map(toRow))
        .onConflict((conflict) => conflict.column('email_key').doNothing())
        .returning('id')
        .execute();
      return added.length;
    });
  }

  /** Reads, and unless `write` is false writes, as much as a change does, and changes nobody. */
  async writeDecoy(write: boolean): Promise<void> {
    const decoy = await this.findById(DECOY);
    if (decoy === undefined || !write) return;
    // Whoever loses the race to another need not write again: nothing is kept here.
    await this.#replace(decoy, { user: decoy, result: undefined });
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

  /** A small durable write, to a row that is no user's. Refuses with StorageFault when nothing can be written. */
  async tryWriting(): Promise<void> {
    await this.#guarded('tryWriting', () =>
      this.#db
        .updateTable('users')
        .set(({ eb }) => ({ row_version: eb('row_version', '+', 1) }))
        .where('id', '=', DECOY)
        .execute(),
    );
  }

  async #findBy(column: 'id' | 'email_key', value: string): Promise<User | undefined> {
    // PostgreSQL takes no NUL in a text, so no row has one.
    if (value.includes('\0')) return undefined;
    return this.#guarded('find', async () => {
      const row = await this.#db
        .selectFrom('users')
        .selectAll()
        .where(column, '=', value)
        .executeTakeFirst();
      return row && toUser(row);
    });
  }

  /** False: somebody else wrote first. A write whose answer was lost is a fault; whether it took place, the row tells. */
  async #replace(seen: User, change: Change<unknown>): Promise<boolean> {
    try {
      return await this.#turns.run(seen.id, () => this.#write(seen, change));
    } catch (error) {
      if (error instanceof LostRace || isLostRace(error)) return false;
      if (isUniqueViolation(error)) throw new EmailTaken();
      throw new StorageFault('replace', { cause: error });
    }
  }

  #write(seen: User, { user: next, witness }: Change<unknown>): Promise<boolean> {
    if (witness === undefined) return writeOver(this.#db, seen, next);
    return this.#db.transaction().execute(async (transaction) => {
      const pair = [
        { from: seen, to: next },
        { from: witness, to: witness },
      ];
      // In one order for everybody, or two who are each other's witness wait for each other.
      for (const { from, to } of pair.sort((a, b) => (a.from.id < b.from.id ? -1 : 1))) {
        if (!(await writeOver(transaction, from, to))) throw new LostRace();
      }
      return true;
    });
  }

  /** For what may be done again when somebody else was first: it was not done at all. */
  async #guarded<T>(action: string, query: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await query();
      } catch (error) {
        if (!isLostRace(error) || attempt === TRIES)
          throw new StorageFault(action, { cause: error });
      }
      await backOff(attempt);
    }
  }
}
