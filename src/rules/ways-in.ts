import type { IdentityColumn, User } from '../schemas/user.ts';
import { Refusal } from './refusal.ts';

/** The columns of the accounts at outside providers, by slot. */
export const IDENTITY_COLUMNS: readonly IdentityColumn[] = [
  'identity_1',
  'identity_2',
  'identity_3',
  'identity_4',
];

/** Stands in an identity column after its owner has unlinked it. It has the user's ID, because no two rows may have the same value. */
export const unlinkedMark = ({ id }: Pick<User, 'id'>): string => `!${id}`;

/** Whether an identity column has an account at a provider, and not null or the mark of an unlinked one. */
export const isLinked = (key: string | null): key is string => key !== null && !key.startsWith('!');

/** Whether anything but a code by mail signs in to the account. `issuers`: of the providers that are configured; others sign nobody in. */
const hasWayIn = (user: User, issuers: ReadonlySet<string>): boolean =>
  user.password_hash !== null ||
  user.passkeys.length > 0 ||
  IDENTITY_COLUMNS.some((column) => issuers.has(String(user[column]).split('|', 1)[0] as string));

/** Refuses with `last_way_in`. */
export function assertWayIn(user: User, issuers: ReadonlySet<string>): void {
  if (!hasWayIn(user, issuers)) throw new Refusal('last_way_in');
}
