import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { User } from '../../schemas/user.ts';
import { UnreadableRow } from './faults.ts';
import { passwordHashColumn, withSecretHashes } from './secret-hashes.ts';

/** Every column of `users`. The list itself is the schema; what is selected, inserted and parsed follows it. */
export const COLUMNS = Object.keys(User.shape) as (keyof User)[];

/** The columns that are JSON text, so that one table definition serves every database. */
const JSON_COLUMNS = [
  'roles',
  'sessions',
  'throttle',
  'mfa',
  'passkeys',
  'mail_codes',
  'used_nonces',
  'secret_hashes',
  'claims',
] as const satisfies (keyof User)[];
type JsonColumn = (typeof JSON_COLUMNS)[number];

/** A row as the database stores it. */
export type UserRow = Omit<User, JsonColumn> & {
  [Column in JsonColumn]: string | Extract<User[Column], null>;
};

const isJson = (column: keyof User): boolean =>
  (JSON_COLUMNS as readonly string[]).includes(column);

/** Written together, always: see `secret-hashes.ts`. */
const secretColumns = (user: User) => ({
  password_hash: passwordHashColumn(user),
  secret_hashes: stored(user, 'secret_hashes') as UserRow['secret_hashes'],
});

const stored = (user: User, column: keyof User) =>
  isJson(column) && user[column] !== null ? JSON.stringify(user[column]) : user[column];

export const toRow = (user: User): UserRow =>
  ({
    ...Object.fromEntries(COLUMNS.map((column) => [column, stored(user, column)])),
    ...secretColumns(user),
  }) as UserRow;

/** Fixed when the row is inserted; or set by every update. */
const KEPT: readonly (keyof User)[] = ['id', 'kind', 'created_at', 'row_version'];
const CHANGEABLE = COLUMNS.filter((column) => !KEPT.includes(column));

/** The columns in which `next` differs from the row that it was decided from. A decision shares with it what it leaves. */
export function changedColumns(seen: User, next: User): Partial<UserRow> {
  const changed = CHANGEABLE.filter((column) => next[column] !== seen[column]);
  const row: Partial<UserRow> = Object.fromEntries(
    changed.map((column) => [column, stored(next, column)]),
  );
  return next.kind === 'service' ? { ...row, ...secretColumns(next) } : row;
}

/**
 * Parses some or all columns of a row. Refuses a row that does not match with UnreadableRow, which names the
 * members at fault and contains no value.
 */
export function parseRow<T>(
  schema: z.ZodType<T>,
  raw: { id: string } & Partial<Selectable<UserRow>>,
): T {
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
