import type { Passkey, User } from '../schemas/user.ts';
import type { Issuers } from './factors/factor.ts';
import { fingerprint } from './fingerprint.ts';
import { Refusal } from './refusal.ts';
import { assertWayIn } from './ways-in.ts';

const MAX_PASSKEYS = 10;
/** Answered challenges that a passkey keeps. None may go before it expires, so more are refused. */
const MAX_USED = 20;

/** A verified assertion. `until`: when its challenge expires (ms). */
export interface PasskeyUse {
  id: string;
  /** The one that the signature was verified with. */
  publicKey: string;
  counter: number;
  backedUp: boolean;
  challenge: { id: string; until: number };
}

/** Short, as credential IDs may be very long. */
export const passkeyId = ({ id }: Pick<Passkey, 'id'>): string => fingerprint(id);

/** Most authenticators do not count: they always say 0 (WebAuthn section 6.1.1). */
const wentBack = (counter: number, last: number): boolean =>
  (counter > 0 || last > 0) && counter <= last;

/**
 * The user with the passkey used, so that its challenge is not answered again. `refused`: it is not the user's, or the
 * challenge was answered before. `copied`: its signature counter went back.
 */
export function withPasskeyUsed(
  user: User,
  { id, publicKey, counter, backedUp, challenge }: PasskeyUse,
  now: number,
): User | 'refused' | 'copied' {
  const passkey = user.passkeys.find((one) => one.id === id && one.public_key === publicKey);
  if (passkey === undefined) return 'refused';
  const used = passkey.used.filter(({ until }) => now < until);
  if (used.length >= MAX_USED || used.some((one) => one.id === challenge.id)) return 'refused';
  if (wentBack(counter, passkey.counter)) return 'copied';
  const next: Passkey = {
    ...passkey,
    counter,
    backed_up: backedUp,
    last_used_at: now,
    used: [challenge, ...used],
  };
  return { ...user, passkeys: user.passkeys.map((one) => (one === passkey ? next : one)) };
}

/** Refuses with `too_many_passkeys`, or with `passkey_invalid` if the user has it already. */
export function withPasskey(user: User, passkey: Passkey): User {
  if (user.passkeys.some(({ id }) => id === passkey.id)) throw new Refusal('passkey_invalid');
  if (user.passkeys.length >= MAX_PASSKEYS) throw new Refusal('too_many_passkeys');
  return { ...user, passkeys: [...user.passkeys, passkey] };
}

/** The passkey with this ID of the API. Refuses with `not_found`. */
function passkeyOf(user: User, id: string): Passkey {
  const passkey = user.passkeys.find((one) => passkeyId(one) === id);
  if (passkey === undefined) throw new Refusal('not_found');
  return passkey;
}

/** Refuses with `not_found`. */
export function withPasskeyNamed(
  user: User,
  { id, name }: { id: string; name: string },
): { user: User; passkey: Passkey } {
  const before = passkeyOf(user, id);
  const passkey = { ...before, name };
  const passkeys = user.passkeys.map((one) => (one === before ? passkey : one));
  return { user: { ...user, passkeys }, passkey };
}

/** `issuers`: of the configured providers. Refuses with `not_found`, or with `last_way_in` if only a code by mail would sign in then. */
export function withoutPasskey(user: User, id: string, issuers: Issuers): User {
  const removed = passkeyOf(user, id);
  const next = { ...user, passkeys: user.passkeys.filter((one) => one !== removed) };
  assertWayIn(next, issuers);
  return next;
}
