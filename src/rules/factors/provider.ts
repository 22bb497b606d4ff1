import {
  IDENTITY_COLUMNS,
  type IdentityColumn,
  NO_IDENTITIES,
  SLOTS,
} from '../../schemas/slots.ts';
import type { User } from '../../schemas/user.ts';
import type { Factor } from './factor.ts';

export const issuerIn = (key: string): string => key.split('|', 1)[0] as string;

/** Stands in an identity column after it was unlinked. It has the user's ID, because no two rows may have the same value. */
export const unlinkedMark = ({ id }: Pick<User, 'id'>): string => `!${id}`;

/** Whether an identity column has an account at a provider, and not null or the mark of an unlinked one. */
export const isLinked = (key: string | null): key is string => key !== null && !key.startsWith('!');

/** Every slot in which the user is linked with a provider, whether or not it is configured. */
export const linkedColumns = (user: User): IdentityColumn[] =>
  IDENTITY_COLUMNS.filter((column) => isLinked(user[column]));

/** For an administrator, who may also remove the last way in. Only the owner links these providers again: no mailbox does. */
export const withoutIdentities = (user: User): User => ({
  ...user,
  ...Object.fromEntries(linkedColumns(user).map((column) => [column, unlinkedMark(user)])),
});

/** An outside provider. Which factors it has checked is only its word, so it counts as no second factor. */
export const provider = {
  /** Federated. RFC 8176 registers no value for a sign-in elsewhere. */
  amr: ['fed'],
  guessed: null,
  signsIn: true,
  secondStep: 'none',
  count: (user, issuers?) =>
    SLOTS.filter((slot) => {
      const key = user[`identity_${slot}`];
      return isLinked(key) && (issuers === undefined || issuers.get(slot) === issuerIn(key));
    }).length,
  /** Without the marks of unlinked ones too: the mailbox of the owner may link them again. */
  without: (user) => ({ ...user, ...NO_IDENTITIES }),
} satisfies Factor;
