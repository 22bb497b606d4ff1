import { User } from '../../schemas/user.ts';
import { PROBE } from './decoy-rows.ts';
import type { UserQueries } from './user-queries.ts';
import { COLUMNS } from './user-row.ts';

/** `Users.everyRow`. */
export async function* everyRow(
  queries: UserQueries,
  limit: number,
): AsyncGenerator<(User | undefined)[]> {
  let after = '';
  for (;;) {
    const rows = await queries.run('everyRow', (db) =>
      db
        .selectFrom('users')
        .select(COLUMNS)
        .where('id', '>', after)
        .where('id', '!=', PROBE)
        .where('kind', '!=', 'decoy')
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
    yield rows.map((row) => queries.parse(User, row));
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = last.id;
  }
}

/** `Users.count`. */
export async function countRows(queries: UserQueries): Promise<number> {
  const { rows } = await queries.run('count', (db) =>
    db
      .selectFrom('users')
      .select(({ fn }) => fn.countAll().as('rows'))
      .where('id', '!=', PROBE)
      .where('kind', '!=', 'decoy')
      .executeTakeFirstOrThrow(),
  );
  return Number(rows);
}

/** `Users.countAbsent`. */
export async function countAbsentUsers(queries: UserQueries, users: User[]): Promise<number> {
  const rows = await queries.run('countAbsent', (db) =>
    db
      .selectFrom('users')
      .select(['id', 'email_key'])
      .where(({ eb, or }) =>
        or([
          eb(
            'id',
            'in',
            users.map(({ id }) => id),
          ),
          eb(
            'email_key',
            'in',
            users.map(({ email_key }) => email_key),
          ),
        ]),
      )
      .execute(),
  );
  const taken = new Set(rows.flatMap(({ id, email_key }) => [id, email_key]));
  return users.filter(({ id, email_key }) => {
    const isTaken = taken.has(id) || (email_key !== null && taken.has(email_key));
    return !isTaken;
  }).length;
}
