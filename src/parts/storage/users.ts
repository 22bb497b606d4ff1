import { setTimeout as sleep } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import type { z } from 'zod';
import { RevokedUser, User } from '../../schemas/user.ts';
import {
  byBytes,
  type Database,
  DECOY,
  eraseOldVersions,
  JSON_COLUMNS,
  type UserRow,
} from './database.ts';
import { isLostRace, isTimeout, isUniqueViolation } from './faults.ts';
import { behindPrefix } from './prefix.ts';
import { RowTurns } from './row-turns.ts';
import { passwordHashColumn, withSecretHashes } from './secret-hashes.ts';

/** The database did not answer, or refused for a cause that is not the caller's. */
export class StorageFault extends Error {}

/** A row that this version cannot read: damaged, or written by a newer one. It spoils what needs it, and nothing else. */
export class UnreadableRow extends StorageFault {
  readonly id: string;

  constructor(id: string, what: string) {
    super(`row ${id}: ${what}`);
    this.id = id;
  }
}

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

/** So many rows are read where one will do, as some may not be readable. */
const A_FEW = 10;
const REMOVED_AT_ONCE = 500;

/** Before the next try, the longer the more often it was lost, and never as long as the others'. */
const backOff = (round: number) => sleep(Math.random() * Math.min(50, 2 ** round));

const toRow = (user: User): Insertable<UserRow> => ({
  ...user,
  password_hash: passwordHashColumn(user),
  roles: JSON.stringify(user.roles),
  sessions: JSON.stringify(user.sessions),
  throttle: JSON.stringify(user.throttle),
  mfa: JSON.stringify(user.mfa),
  secret_hashes: user.secret_hashes && JSON.stringify(user.secret_hashes),
});

/** Refuses a row that is not of this shape with UnreadableRow, which names the members and holds no value. */
function readRow<T>(schema: z.ZodType<T>, raw: { id: string } & Partial<Selectable<UserRow>>): T {
  const row = withSecretHashes(raw);
  const parsed: Record<string, unknown> = { ...row };
  for (const column of JSON_COLUMNS) {
    const text = row[column];
    try {
      if (typeof text === 'string') parsed[column] = JSON.parse(text);
    } catch {
      throw new UnreadableRow(row.id, `${column} is not JSON`);
    }
  }
  const { success, data, error } = schema.safeParse(parsed);
  if (success) return data;
  const members = error.issues.map(({ path }) => path.join('.'));
  throw new UnreadableRow(row.id, `${members.join(', ')} cannot be read`);
}

const toUser = (row: Selectable<UserRow>): User => readRow(User, row);

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

export interface UsersListener {
  /** Hears of every row that was written, as it now stands. */
  wrote(user: User): void;
  /** Hears of every row that was passed over. */
  unreadable(row: UnreadableRow): void;
}

/** Rows of `users`, in and out. Every failure of the database is a StorageFault. */
export class Users {
  readonly #db: Database;
  readonly #listener: UsersListener;
  readonly #turns = new RowTurns();

  constructor(db: Database, listener: UsersListener) {
    this.#db = db;
    this.#listener = listener;
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
    const changeOnce = async () => {
      const user = await this.findById(id);
      if (user === undefined) return { result: undefined };
      const change = decide(user, await findWitness?.(user));
      if (change.user === user) return change;
      if (!(await this.#replace(user, change))) return 'lost';
      this.#listener.wrote(change.user);
      if (change.user.status === 'deleted') await eraseOldVersions(this.#db);
      return change;
    };
    for (let round = 1; round <= TRIES; round += 1) {
      // Within this node nobody loses a race: the row is read when its turn has come.
      const changed = await this.#turns.run(id, changeOnce);
      if (changed !== 'lost') return changed.result;
      await backOff(round);
    }
    throw new StorageFault(`user changed by others ${TRIES} times in a row`);
  }

  /**
   * What was revoked at or after `instant` (ms), `limit` users at a time. Of a row whose sessions cannot be read
   * only the version is known.
   */
  async *revokedSince(instant: number, limit: number): AsyncGenerator<RevokedUser[]> {
    let after = { revoked_at: instant, id: '' };
    for (;;) {
      const { revoked_at, id } = after;
      const rows = await this.#guarded('revokedSince', () =>
        this.#db
          .selectFrom('users')
          .select(['id', 'access_version', 'revoked_at', 'sessions'])
          .where('revoked_at', '>=', revoked_at)
          .where((row) => row.or([row('revoked_at', '>', revoked_at), row('id', '>', id)]))
          .orderBy('revoked_at')
          .orderBy('id')
          .limit(limit)
          .execute(),
      );
      yield rows.map((row) => this.#readable(RevokedUser, row) ?? { ...row, sessions: [] });
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return;
      after = { revoked_at: Number(last.revoked_at), id: last.id };
    }
  }

  /**
   * By id, so oldest first; a search by address in the order of addresses. Deleted users, and rows that cannot be
   * read, are not there.
   */
  async list(page: Page): Promise<User[]> {
    const found: User[] = [];
    let { after } = page;
    for (;;) {
      const limit = page.limit - found.length;
      const rows = await this.#rowsOf({ ...page, after, limit });
      found.push(...rows.flatMap((row) => this.#readable(User, row) ?? []));
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit || found.length === page.limit) return found;
      after = page.emailPrefix === undefined ? last.id : String(last.email_key);
    }
  }

  /** Some active person with this role and a password who is not `id`. Reads those who have any role. */
  async findOther(id: string, role: string): Promise<User | undefined> {
    const rows = await this.#guarded('findOther', () =>
      this.#db
        .selectFrom('users')
        .selectAll()
        .where(sql<boolean>`roles <> '[]'`)
        .where('kind', '=', 'person')
        .where('status', '=', 'active')
        .where('id', '!=', id)
        .where('password_hash', 'is not', null)
        .where('roles', 'like', `%${JSON.stringify(role)}%`)
        .limit(A_FEW)
        .execute(),
    );
    return rows.map((row) => this.#readable(User, row)).find((user) => user !== undefined);
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
    await this.#turns.run(DECOY, () => this.#replace(decoy, { user: decoy, result: undefined }));
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
      return await this.#write(seen, change);
    } catch (error) {
      if (error instanceof LostRace || isLostRace(error)) return false;
      if (isUniqueViolation(error)) throw new EmailTaken();
      throw new StorageFault('replace', { cause: error });
    }
  }

  #rowsOf({ kind, emailPrefix, after, limit }: Page): Promise<Selectable<UserRow>[]> {
    return this.#guarded('list', () => {
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
      return query.orderBy(order).limit(limit).execute();
    });
  }

  /** The row, or undefined: it cannot be read, and somebody was told. */
  #readable<T>(schema: z.ZodType<T>, row: Parameters<typeof readRow>[1]): T | undefined {
    try {
      return readRow(schema, row);
    } catch (error) {
      this.#listener.unreadable(error as UnreadableRow);
      return undefined;
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
  async #guarded<T>(action: string, query: () => Promise<T>, round = 1): Promise<T> {
    try {
      return await query();
    } catch (error) {
      if (error instanceof UnreadableRow) {
        this.#listener.unreadable(error);
        throw error;
      }
      if (!isLostRace(error) || round === TRIES) throw new StorageFault(action, { cause: error });
    }
    await backOff(round);
    return this.#guarded(action, query, round + 1);
  }
}
