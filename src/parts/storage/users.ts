import { setTimeout as sleep } from 'node:timers/promises';
import { type Insertable, type Selectable, sql } from 'kysely';
import type { z } from 'zod';
import { RevokedUser, User } from '../../schemas/user.ts';
import { byBytes, type Database, DECOY, eraseOldVersions, type UserRow } from './database.ts';
import { isLostRace, isTimeout, isUniqueViolation } from './faults.ts';
import { behindPrefix } from './prefix.ts';
import { RowTurns } from './row-turns.ts';

/** The database did not answer, or failed for a reason that is not the caller's. */
export class StorageFault extends Error {}

/** A row that this version cannot read: damaged, or written by a newer version. Only requests that need it fail. */
export class UnreadableRow extends StorageFault {
  readonly id: string;

  constructor(id: string, what: string) {
    super(`row ${id}: ${what}`);
    this.id = id;
  }
}

/** Another user has this address. */
export class EmailTaken extends Error {}

/** A decision: the next user (the same object: nothing to write) and a result for the caller. */
export interface Change<T> {
  user: User;
  result: T;
  /** Another user whose row must be unchanged when this is written, in the same commit. */
  witness?: User;
}

const TRIES = 30;

/** Rows read where one is needed, as some may be unreadable. */
const A_FEW = 10;
const REMOVED_AT_ONCE = 500;

/** Exponential back-off with jitter, at most 50 ms. */
const backOff = (round: number) => sleep(Math.random() * Math.min(50, 2 ** round));

const toRow = (user: User): Insertable<UserRow> => ({
  ...user,
  roles: JSON.stringify(user.roles),
  sessions: JSON.stringify(user.sessions),
  throttle: JSON.stringify(user.throttle),
  mfa: JSON.stringify(user.mfa),
});

const JSON_COLUMNS = ['roles', 'sessions', 'throttle', 'mfa'] as const;

/** Throws UnreadableRow if the row does not match the schema. The error names the members, never their values. */
function readRow<T>(schema: z.ZodType<T>, row: { id: string } & Partial<Selectable<UserRow>>): T {
  const parsed: Record<string, unknown> = { ...row };
  for (const column of JSON_COLUMNS) {
    const text = row[column];
    try {
      if (text !== undefined) parsed[column] = JSON.parse(text);
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

/** Compare-and-swap on `row_version`. Returns false if the row has changed since it was read. */
async function writeOver(db: Database, seen: User, next: User): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ ...toRow(next), row_version: seen.row_version + 1 })
    .where('id', '=', seen.id)
    .where('row_version', '=', seen.row_version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Selects a page of users. */
export interface Page {
  kind: User['kind'];
  emailPrefix?: string | undefined;
  /** The last row of the previous page: its ID, or its `email_key` in a search by address. */
  after?: string | undefined;
  limit: number;
}

export interface UsersListener {
  /** Called with every user written, in the new state. */
  wrote(user: User): void;
  /** Called with every row that could not be read. */
  unreadable(row: UnreadableRow): void;
}

/** Reads and writes the `users` table. Every database failure is thrown as StorageFault. */
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

  /** Throws EmailTaken if the address is in use, even when two inserts race. */
  async insert(user: User): Promise<void> {
    try {
      await this.#guarded('insert', () =>
        this.#db.insertInto('users').values(toRow(user)).execute(),
      );
    } catch (error) {
      const { cause } = error as StorageFault;
      if (isUniqueViolation(cause)) throw new EmailTaken();
      // The answer may have been lost after the commit. The ID is unique, so if the row exists, the insert succeeded.
      if (isTimeout(cause) || (await this.findById(user.id)) === undefined) throw error;
    }
  }

  /**
   * The only way to change a user: read, decide in pure code, write if the row is unchanged, else decide again.
   * `decide` may run several times and must not wait. Returns undefined if there is no such user.
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
      // Changes on this node never race: each reads the row when its turn comes.
      const changed = await this.#turns.run(id, changeOnce);
      if (changed !== 'lost') return changed.result;
      await backOff(round);
    }
    throw new StorageFault(`user changed concurrently ${TRIES} times in a row`);
  }

  /**
   * Users with something revoked at or after `instant` (ms), in pages of `limit`. If a row's sessions cannot be read,
   * its version is still returned, with no sessions.
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
   * By ID, so oldest first; a search by address is sorted by address. Leaves out deleted users and rows that cannot
   * be read.
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

  /** An active person other than `id` with this role and a password. Scans only rows that have a role. */
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

  /** Adds the users whose address is free, in one commit. Returns how many were added. */
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

  /** Costs as much as a change: reads the decoy row and, unless `write` is false, writes it. */
  async writeDecoy(write: boolean): Promise<void> {
    const decoy = await this.findById(DECOY);
    if (decoy === undefined || !write) return;
    // No retry after a lost race: the decoy row keeps no data.
    await this.#turns.run(DECOY, () => this.#replace(decoy, { user: decoy, result: undefined }));
  }

  /** Removes, in batches, the emptied rows of users deleted before `instant` (ms); then erases old versions of rows. */
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

  /** A small durable write to the decoy row. Throws StorageFault if the database takes no writes. */
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
    // PostgreSQL allows no NUL in text, so no row has one.
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

  /** Returns false if another write came first. Throws StorageFault if the answer was lost; the write may have happened. */
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
        // A literal: a partial index cannot be used with a parameter.
        .where('kind', '=', sql.lit(kind))
        .where('status', '!=', 'deleted');
      if (after !== undefined) query = query.where(order, '>', after);
      if (emailPrefix !== undefined) query = query.where(order, '>=', emailPrefix);
      const behind = behindPrefix(emailPrefix ?? '');
      if (behind !== undefined) query = query.where(order, '<', behind);
      return query.orderBy(order).limit(limit).execute();
    });
  }

  /** The parsed row, or undefined if it cannot be read; the listener was called then. */
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
      // Always in the same order: two users who are each other's witness would deadlock otherwise.
      for (const { from, to } of pair.sort((a, b) => (a.from.id < b.from.id ? -1 : 1))) {
        if (!(await writeOver(transaction, from, to))) throw new LostRace();
      }
      return true;
    });
  }

  /** Retries a query that lost a race: a lost race means that nothing was written. */
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
