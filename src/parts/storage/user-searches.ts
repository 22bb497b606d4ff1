import { type Selectable, sql } from 'kysely';
import { User } from '../../schemas/user.ts';
import { byBytes } from './database.ts';
import { behindPrefix } from './prefix.ts';
import type { UserQueries } from './user-queries.ts';
import { COLUMNS, type UserRow } from './user-row.ts';

/** More rows are read than needed, as some may be unreadable. */
const SPARE_ROWS = 10;

/** Which users a page contains. */
export interface Page {
  kind: User['kind'];
  emailPrefix?: string | undefined;
  /** The last row of the page before: its id, or its `email_key` in a search by address. */
  after?: string | undefined;
  limit: number;
}

function selectPage(
  { db }: UserQueries,
  { kind, emailPrefix, after, limit }: Page,
): Promise<Selectable<UserRow>[]> {
  const order = emailPrefix === undefined ? sql<string>`id` : byBytes(db, 'email_key');
  let query = db
    .selectFrom('users')
    .select(COLUMNS)
    // A literal: a partial index does not match a parameter.
    .where('kind', '=', sql.lit(kind))
    .where('status', '!=', 'deleted');
  if (after !== undefined) query = query.where(order, '>', after);
  if (emailPrefix !== undefined) query = query.where(order, '>=', emailPrefix);
  const behind = behindPrefix(emailPrefix ?? '');
  if (behind !== undefined) query = query.where(order, '<', behind);
  return query.orderBy(order).limit(limit).execute();
}

/** `Users.list`. */
export async function listUsers(queries: UserQueries, page: Page): Promise<User[]> {
  const found: User[] = [];
  let { after } = page;
  for (;;) {
    const limit = page.limit - found.length;
    const rows = await queries.run('list', () => selectPage(queries, { ...page, after, limit }));
    found.push(...rows.flatMap((row) => queries.parse(User, row) ?? []));
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit || found.length === page.limit) return found;
    after = page.emailPrefix === undefined ? last.id : String(last.email_key);
  }
}

/** `Users.findOther`. */
export async function findOtherUser(
  queries: UserQueries,
  id: string,
  role: string,
): Promise<User | undefined> {
  const rows = await queries.run('findOther', (db) =>
    db
      .selectFrom('users')
      .select(COLUMNS)
      // This condition is that of the index `users_with_roles`.
      .where(sql<boolean>`roles <> '[]'`)
      .where('kind', '=', 'person')
      .where('status', '=', 'active')
      .where('id', '!=', id)
      .where('password_hash', 'is not', null)
      .where('roles', 'like', `%${JSON.stringify(role)}%`)
      .limit(SPARE_ROWS)
      .execute(),
  );
  return rows.map((row) => queries.parse(User, row)).find((user) => user !== undefined);
}
