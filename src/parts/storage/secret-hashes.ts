import type { Selectable } from 'kysely';
import type { User } from '../../schemas/user.ts';
import type { UserRow } from './user-row.ts';

// Until a later version drops it, `password_hash` has the hashes of a service account's secrets too, separated by
// blanks. A node of the version before 005_secret_hashes, running beside this one, reads and writes only that column.
// So this version writes both, and believes the one that both write: what an old node revokes or deletes is gone here
// too. The version that drops `password_hash` must fill `secret_hashes` from it first, as an old node leaves that stale.

/** What goes into `password_hash`. */
export const passwordHashColumn = ({ kind, password_hash, secret_hashes }: User): string | null =>
  kind === 'service' ? (secret_hashes?.join(' ') ?? null) : password_hash;

/** A row from the database with a service account's hashes in `secret_hashes` alone. */
export function withSecretHashes<Row extends Partial<Selectable<UserRow>>>(row: Row): Row {
  const { kind, password_hash } = row;
  if (kind !== 'service' || password_hash === undefined) return row;
  const secret_hashes = password_hash === null ? null : JSON.stringify(hashesIn(password_hash));
  return { ...row, password_hash: null, secret_hashes };
}

/** The hashes in the form of the older column. */
export const hashesIn = (text: string): string[] => text.split(' ').filter(Boolean);
