import type { IdentityColumn } from '../schemas/slots.ts';
import type { User } from '../schemas/user.ts';
import type { Issuers } from './factors/factor.ts';
import { isLinked, unlinkedMark } from './factors/provider.ts';
import { Refusal } from './refusal.ts';
import { hasSecondFactor } from './second-factor.ts';
import { isUnclaimed } from './unclaimed.ts';
import { assertWayIn } from './ways-in.ts';

/** Used nonces that a row keeps. None may go before it expires, so more are refused. */
const MAX_NONCES = 20;

/** Who somebody is at an outside provider. */
export interface Identity {
  column: IdentityColumn;
  issuer: string;
  /** As long as the account there exists; the address may change. */
  sub: string;
  /** Only if the provider has verified it. */
  email: string | undefined;
  name: string | undefined;
}

/** What the column has. An issuer has no `|`, so no two identities have the same one. */
export const keyOfIdentity = ({ issuer, sub }: Pick<Identity, 'issuer' | 'sub'>): string =>
  `${issuer}|${sub}`;

const inAscii = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Only what mail servers take for equal. Other letters that look or fold alike can be those of another mailbox. */
const isSameMailbox = (one: string, other: string): boolean => inAscii(one) === inAscii(other);

/** Refuses with `identity_taken` if the user has another identity in this slot. */
export function withIdentity(user: User, identity: Identity): User {
  const key = keyOfIdentity(identity);
  if (user[identity.column] === key) return user;
  if (isLinked(user[identity.column])) throw new Refusal('identity_taken');
  return { ...user, [identity.column]: key };
}

/**
 * The user linked by a mailbox that both sides have proven, unless this provider was unlinked before. With a
 * second factor the owner links it while signed in.
 * Refuses with `provider_unlinked`.
 */
export function withIdentityOfMailbox(user: User, identity: Identity): User {
  const isTheirs = isSameMailbox(String(user.email), String(identity.email));
  const isFree = user[identity.column] === null;
  if (!isTheirs || !isFree || isUnclaimed(user) || hasSecondFactor(user))
    throw new Refusal('provider_unlinked', { user: user.id });
  return withIdentity(user, identity);
}

/**
 * `issuers`: of the configured slots. Only the owner links this provider again: no mailbox does. Refuses with `not_found`, or with
 * `last_way_in` if only a code by mail would sign in then.
 */
export function withoutIdentity(user: User, column: IdentityColumn, issuers: Issuers): User {
  if (!isLinked(user[column])) throw new Refusal('not_found');
  const next = { ...user, [column]: unlinkedMark(user) };
  assertWayIn(next, issuers);
  return next;
}

/** The nonce of an ID token. `until`: when its token expires (ms). */
export interface Nonce {
  id: string;
  until: number;
}

/** The user with the nonce used. Refuses with `provider_refused` one that was used before. */
export function withNonceUsed(user: User, nonce: Nonce | undefined, now: number): User {
  if (nonce === undefined) return user;
  const used = user.used_nonces.filter(({ until }) => now < until);
  if (used.length >= MAX_NONCES || used.some(({ id }) => id === nonce.id))
    throw new Refusal('provider_refused', { user: user.id, reason: 'the nonce was used before' });
  return { ...user, used_nonces: [nonce, ...used] };
}
