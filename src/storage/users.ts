import { setTimeout as sleep } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import { User } from '../schemas/user.ts';
import { byBytes, type Database, DECOY, eraseOldVersions, type UserRow } from './database.ts';
import { behindPrefix } from './prefix.ts';

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

const UNIQUE_VIOLATION = new Set(['23505', 'SQLITE_CONSTRAINT_UNIQUE']);
/** Serialisation failure, deadlock: somebody else was first. */
const LOST_RACE = new Set(['40001', '40P01']);
const TRIES = 30;
const REMOVED_AT_ONCE = 500;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

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
  emailPrefix?: string | undefined;
  /** Of the last row of the page before: its id, or its `email_key` where addresses are searched. */
  after?: string | undefined;
  limit: number;
}

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
        if (change.user.status === 'deleted') await eraseOldVersions(this.#db);
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

  /** By id, so oldest first; a search by address in the order of addresses. Deleted users are not there. */
  async list({ kind, emailPrefix, after, limit }: Page): Promise<User[]> {
    return this.#guarded('list', async () => {
      const order = emailPrefix === undefined ? sql<string>`id` : byBytes(this.#db, 'email_key');
      let query = this.#db
        .selectFrom('users')
        .selectAll()
        // Literally: an index over some of the rows serves no parameter.
        .where('kind', '=', sql.lit(kind))
        .where('status', '!=', 'deleted');
      if (after !== undefined) query = query.where(order, '>', after);
      if (emailPrefix !== undefined) query = query.where(order, '>=', emailPrefix);
      const behind = behindPrefix(emailPrefix ?? '');
      if (behind !== undefined) query = query.where(order, '<', behind);
      const rows = await query.orderBy(order).limit(limit).execute();
      return rows.map(toUser);
    });
  }

  /** Some active person with this role and a password who is not `id`. Reads those who have any role. */
  async findOther(id: string, role: string): Promise<User | undefined> {
    return this.#guarded('findOther', async () => {
      const row = await this.#db
        .selectFrom('users')
        .selectAll()
        .where(sql<boolean>`roles <> '[]'`)
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

  /** Removes the emptied rows of users who were deleted before `instant` (ms), some at a time, and old versions of all. */
  async removeDeleted(instant: number): Promise<void> {
    await this.#guarded('removeDeleted', async () => {
      const some = this.#db
        .selectFrom('users')
        .select('id')
        .where('status', '=', sql.lit('deleted'))
        .where('revoked_at', '<', instant)
        .orderBy('revoked_at')
        .limit(REMOVED_AT_ONCE);
      let removed: bigint;
      do {
        const answer = await this.#db
          .deleteFrom('users')
          .where('id', 'in', some)
          .executeTakeFirst();
        removed = answer.numDeletedRows;
      } while (removed === BigInt(REMOVED_AT_ONCE));
    });
    await eraseOldVersions(this.#db);
  }

  /** Refuses with StorageFault when the database does not answer. */
  async ping(): Promise<void> {
    await this.#guarded('ping', () => sql`select 1`.execute(this.#db));
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

  /** False: somebody else wrote first. */
  async #replace(seen: User, { user: next, witness }: Change<unknown>): Promise<boolean> {
    try {
      if (witness === undefined) return await writeOver(this.#db, seen, next);
      return await this.#db.transaction().execute(async (transaction) => {
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
    } catch (error) {
      if (error instanceof LostRace || LOST_RACE.has(codeOf(error) as string)) return false;
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
