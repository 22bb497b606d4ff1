import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { User } from '../../schemas/user.ts';
import { UnreadableRow } from './faults.ts';

/** Every column of `users`. The list itself is the schema; what is selected, inserted and parsed follows it. */
export const COLUMNS = Object.keys(User.shape) as (keyof User)[];

/** The columns that are JSON text, so that one table definition serves every database. */
const JSON_COLUMNS = ['roles', 'sessions', 'throttle', 'mfa'] as const satisfies (keyof User)[];
type JsonColumn = (typeof JSON_COLUMNS)[number];

/** A row as the database stores it. */
export type UserRow = Omit<User, JsonColumn> & Record<JsonColumn, string>;

const isJson = (column: keyof User): boolean =>
  (JSON_COLUMNS as readonly string[]).includes(column);

export const toRow = (user: User): UserRow =>
  Object.fromEntries(
    COLUMNS.map((column) => [column, isJson(column) ? JSON.stringify(user[column]) : user[column]]),
  ) as UserRow;

/**
 * Parses some or all columns of a row. Refuses a row that does not match with UnreadableRow, which names the
 * members at fault and contains no value.
 */
export function parseRow<T>(
  schema: z.ZodType<T>,
  row: { id: string } & Partial<Selectable<UserRow>>,
): T {
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
