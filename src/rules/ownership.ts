import type { User } from '../schemas/user.ts';
import { EVERY_FACTOR } from './factors/factors.ts';
import { withoutSecondFactor } from './second-factor.ts';
import { withEverySessionEnded } from './sessions.ts';
import { isUnclaimed } from './unclaimed.ts';
import { hasWayIn } from './ways-in.ts';

/** Without everything that signs in to the account, or is asked for. */
const withoutFactors = (user: User): User =>
  withoutSecondFactor(EVERY_FACTOR.reduce((next, { without }) => without(next), user));

/**
 * The user whose mailbox was just proven by a sign-in or a reset. If a stranger may have made the account, every factor goes, the
 * password too, and older device tokens are strangers' (`deviceOf`). `now`: milliseconds.
 */
export const withMailboxHolder = (user: User, now: number): User => ({
  ...(isUnclaimed(user) ? { ...withoutFactors(user), claimed_at: now, devices_since: now } : user),
  email_verified_at: user.email_verified_at ?? now,
});

/**
 * The user after the holder of the mailbox has signed in with a code by mail. `isDevice`: on a device of the account, so the holder
 * is its user and keeps everything. Otherwise what someone else may know or have added goes, as in a reset. `now`: milliseconds.
 */
export const withMailboxProven = (
  user: User,
  { now, isDevice }: { now: number; isDevice: boolean },
): User => {
  if (!isUnclaimed(user)) return user;
  if (isDevice)
    return { ...user, claimed_at: now, email_verified_at: user.email_verified_at ?? now };
  return withEverySessionEnded(withMailboxHolder(user, now), now);
};

/** Whether anyone can sign in to the account, or was signed in. If it was only invited, nobody was. */
export const hasBeenEntered = (user: User): boolean => user.sessions.length > 0 || hasWayIn(user);

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
