import type { User } from '../../schemas/user.ts';
import { type Database, eraseOldVersions } from './database.ts';
import { newDecoy, UNWRITTEN } from './decoy-rows.ts';
import { isLostRace, isUniqueViolation, LostRace, StorageFault, takenOf } from './faults.ts';
import { RowTurns } from './row-turns.ts';
import { backOff, TRIES } from './tries.ts';
import { toRow } from './user-row.ts';
import { UserUpdate } from './user-update.ts';

/** A decision: the next user (the same object if nothing changes), and a result for the caller. */
export interface Change<T> {
  user: User;
  result: T;
  /** Another user, whose row must not have changed when this is written. Both are checked in one commit. */
  witness?: User;
}

interface Options {
  db: Database;
  find(id: string): Promise<User | undefined>;
  /** Called with every user that was written. */
  wrote(user: User): void;
  failed(error: unknown): void;
}

/** Changes rows of users. For what callers may rely on, see the same methods of `Users`. */
export class UserChanges {
  readonly #options: Options;
  readonly #update: UserUpdate;
  readonly #turns = new RowTurns();

  constructor(options: Options) {
    this.#options = options;
    this.#update = new UserUpdate(options.db);
  }

  async change<T>(
    subject: string | User,
    decide: (user: User, witness: User | undefined) => Change<T>,
    findWitness?: (user: User) => Promise<User | undefined>,
  ): Promise<Change<T> | undefined> {
    const [id, read] = typeof subject === 'string' ? [subject] : [subject.id, subject];
    let early = read;
    const changeOnce = async () => {
      const begun = early && (await this.#changeRead(early, decide));
      early = undefined;
      if (begun) return begun;
      const user = (await this.#options.find(id)) ?? newDecoy(id);
      if (user === undefined) return undefined;
      const change = decide(user, await findWitness?.(user));
      return change.user === user ? change : ((await this.#write(user, change)) ?? 'lost');
    };
    for (let round = 1; round <= TRIES; round += 1) {
      // Changes of one node take turns, so only another node can win the race.
      const changed = await this.#turns.run(id, changeOnce);
      if (changed !== 'lost') return changed;
      await backOff(round);
    }
    this.#options.failed(new LostRace());
    throw new StorageFault(`user changed concurrently ${TRIES} times in a row`);
  }

  /** Begins with a row that was read before. Undefined: it may be out of date, as only a write would have shown. */
  async #changeRead<T>(
    read: User,
    decide: (user: User, witness: undefined) => Change<T>,
  ): Promise<Change<T> | undefined> {
    let change: Change<T>;
    try {
      change = decide(read, undefined);
    } catch {
      return undefined;
    }
    return change.user === read ? undefined : this.#write(read, change);
  }

  /** The change with the row as it is now. Undefined: another node wrote first. */
  async #write<T>(seen: User, change: Change<T>): Promise<Change<T> | undefined> {
    if (!(await this.#replace(seen, change))) return undefined;
    const user = { ...change.user, row_version: seen.row_version + 1 };
    this.#options.wrote(user);
    if (user.status === 'deleted' && seen.status !== 'deleted')
      await eraseOldVersions(this.#options.db);
    return { user, result: change.result };
  }

  /** False: another node wrote first. Throws if the answer was lost; the row then shows whether the write took place. */
  async #replace(seen: User, change: Change<unknown>): Promise<boolean> {
    try {
      return await this.#swap(seen, change);
    } catch (error) {
      if (error instanceof LostRace || isLostRace(error)) return false;
      if (isUniqueViolation(error)) throw takenOf(error);
      this.#options.failed(error);
      throw new StorageFault('replace', { cause: error });
    }
  }

  #swap(seen: User, { user: next, witness }: Change<unknown>): Promise<boolean> {
    const { db } = this.#options;
    if (seen.row_version === UNWRITTEN) return insertDecoy(db, next);
    if (witness === undefined) return this.#update.run(seen, next);
    return db.transaction().execute(async (transaction) => {
      const pair = [
        { from: seen, to: next },
        { from: witness, to: witness },
      ];
      // Always by id: two users who are each other's witness would otherwise deadlock.
      for (const { from, to } of pair.sort((a, b) => (a.from.id < b.from.id ? -1 : 1))) {
        if (!(await this.#update.run(from, to, transaction))) throw new LostRace();
      }
      return true;
    });
  }
}

/** A decoy is made with the first guess that it counts. False: another node made it first. */
async function insertDecoy(db: Database, decoy: User): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('users')
    .values(toRow({ ...decoy, row_version: 0 }))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}
