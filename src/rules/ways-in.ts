import { SLOTS } from '../schemas/slots.ts';
import type { User } from '../schemas/user.ts';
import { Refusal } from './refusal.ts';

/** The issuers of the configured providers, by slot. */
export type Issuers = ReadonlyMap<string, string>;

export const issuerIn = (key: string): string => key.split('|', 1)[0] as string;

/** Stands in an identity column after it was unlinked. It has the user's ID, because no two rows may have the same value. */
export const unlinkedMark = ({ id }: Pick<User, 'id'>): string => `!${id}`;

/** Whether an identity column has an account at a provider, and not null or the mark of an unlinked one. */
export const isLinked = (key: string | null): key is string => key !== null && !key.startsWith('!');

/** Whether anything but a code by mail signs in. A provider that is not configured, or is in another slot now, signs nobody in. */
const hasWayIn = (user: User, issuers: Issuers): boolean =>
  user.password_hash !== null ||
  user.passkeys.length > 0 ||
  SLOTS.some((slot) => issuers.get(slot) === issuerIn(String(user[`identity_${slot}`])));

/** Refuses with `last_way_in`. */
export function assertWayIn(user: User, issuers: Issuers): void {
  if (!hasWayIn(user, issuers)) throw new Refusal('last_way_in');
}
