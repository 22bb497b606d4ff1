import { NO_IDENTITIES } from '../schemas/slots.ts';
import type { User } from '../schemas/user.ts';
import { withoutSecondFactor } from './second-factor.ts';
import { withEverySessionEnded } from './sessions.ts';

/** Whether someone who does not hold the mailbox may have made the account, or given it this address. */
export const isUnclaimed = (user: User): boolean =>
  user.email_verified_at === null || user.claimed_at === 0;

/**
 * The user after the holder of the mailbox has chosen the password. If it was not theirs before, every factor goes that someone
 * else may have added, and older device tokens are strangers' (`deviceOf`). `now`: milliseconds.
 */
export const withMailboxHolder = (user: User, now: number): User => ({
  ...(isUnclaimed(user)
    ? {
        ...withoutSecondFactor(user),
        passkeys: [],
        ...NO_IDENTITIES,
        claimed_at: now,
        devices_since: now,
      }
    : user),
  email_verified_at: user.email_verified_at ?? now,
});

/**
 * The user after the holder of the mailbox has signed in with a code by mail. What someone else may know or have added goes, as in a
 * reset; so does the password, because this sign-in chooses none. `now`: milliseconds.
 */
export const withMailboxProven = (user: User, now: number): User =>
  isUnclaimed(user)
    ? withEverySessionEnded({ ...withMailboxHolder(user, now), password_hash: null }, now)
    : user;

/** The last second in which a device token may be that of somebody else. */
const lastOfOthers = ({ devices_since }: User): number =>
  devices_since === null ? -1 : Math.floor(devices_since / 1_000);

/** Whether a device token was issued since the account belongs to its present owner. `iat`: whole seconds. */
export const isDeviceOfOwner = (user: User, iat: number): boolean => iat > lastOfOthers(user);

/**
 * The `iat` of a device token (whole seconds). `now`: milliseconds. In the second in which the owner takes the account over it is the
 * next one: whole seconds cannot tell their device from that of a stranger who has just signed in.
 */
export const deviceIssuedAt = (user: User, now: number): number =>
  Math.max(Math.floor(now / 1_000), lastOfOthers(user) + 1);
