import { sql } from 'kysely';
import { revokedPartOf } from '../../rules/sessions.ts';
import { RevokedUser } from '../../schemas/user.ts';
import type { UserQueries } from './user-queries.ts';

/** Rows whose sessions are read in one query: those of a user may be a lot of text. */
const BATCH = 100;

/**
 * The state of a row as text: its id, row version, access version and `revoked_at`. Every write raises the row version;
 * a database that lost writes may have the same version again, but at another time.
 */
type State = string;

const idOf = (state: State): string => state.slice(0, state.indexOf(' '));
const revokedAtOf = (state: State): number => Number(state.slice(state.lastIndexOf(' ') + 1));

interface Known {
  user: RevokedUser;
  /** The last poll that met it. */
  poll: number;
}

/**
 * Reads what was revoked. Each poll meets most rows of the last one again, so what was read of a row is remembered
 * until its state changes, and only the sessions of other rows are read.
 */
export class RevokedUsers {
  readonly #queries: UserQueries;
  /** One map for all polls: filling a new one with tens of thousands of rows would hold up requests. */
  readonly #known = new Map<State, Known>();
  #poll = 0;

  constructor(queries: UserQueries) {
    this.#queries = queries;
  }

  /** `Users.revokedSince`. */
  async *since(instant: number, limit: number): AsyncGenerator<RevokedUser[]> {
    this.#poll += 1;
    for await (const page of this.#statesSince(instant, limit)) {
      const changed: string[] = [];
      const unchanged: RevokedUser[] = [];
      for (const state of page) {
        const known = this.#known.get(state);
        if (known === undefined) changed.push(idOf(state));
        else {
          known.poll = this.#poll;
          unchanged.push(known.user);
        }
      }
      if (unchanged.length > 0) yield unchanged;
      for (let from = 0; from < changed.length; from += BATCH)
        yield await this.#read(changed.slice(from, from + BATCH));
    }
    for (const [state, { poll }] of this.#known) if (poll !== this.#poll) this.#known.delete(state);
  }

  /** A page is one text: tens of thousands of rows are met twice a second, and a row each would cost ten times as much. */
  async *#statesSince(instant: number, limit: number): AsyncGenerator<State[]> {
    let after = { revoked_at: instant, id: '' };
    for (;;) {
      const { revoked_at, id } = after;
      const { states } = await this.#queries.run('revokedSince', (db) =>
        db
          .selectFrom(
            db
              .selectFrom('users')
              .select(['id', 'row_version', 'access_version', 'revoked_at'])
              // A tuple: many rows may be revoked in one statement, at the same time.
              .where(({ eb, refTuple, tuple }) =>
                eb(refTuple('revoked_at', 'id'), '>', tuple(revoked_at, id)),
              )
              .orderBy('revoked_at')
              .orderBy('id')
              .limit(limit)
              .as('page'),
          )
          .select(
            sql<
              string | null
            >`string_agg(id || ' ' || row_version || ' ' || access_version || ' ' || revoked_at, ',' order by revoked_at, id)`.as(
              'states',
            ),
          )
          .executeTakeFirstOrThrow(),
      );
      const page = states?.split(',') ?? [];
      yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return;
      after = { revoked_at: revokedAtOf(last), id: idOf(last) };
    }
  }

  /** Reads and remembers these rows. One that cannot be read has no sessions, and is read again next time. */
  async #read(ids: string[]): Promise<RevokedUser[]> {
    const rows = await this.#queries.run('revokedSince', (db) =>
      db
        .selectFrom('users')
        .select(['id', 'row_version', 'access_version', 'revoked_at', 'sessions'])
        .where('id', 'in', ids)
        .execute(),
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => {
      const found = byId.get(id);
      // Removed in the meantime: its tokens have expired.
      if (found === undefined) return [];
      const { row_version, ...row } = found;
      const read = this.#queries.parse(RevokedUser, row);
      if (read === undefined) return [{ ...row, sessions: [] }];
      const user = revokedPartOf(read);
      const state = [id, row_version, row.access_version, row.revoked_at].join(' ');
      this.#known.set(state, { user, poll: this.#poll });
      return [user];
    });
  }
}
