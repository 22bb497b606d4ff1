import { ACCESS_LIFE } from '../schemas/claims.ts';
import type { Session, User } from '../schemas/user.ts';
import { fingerprint } from './fingerprint.ts';
import { hasSecondFactor, provesSecondFactor } from './second-factor.ts';
import {
  endOf,
  liveSession,
  type SessionLimits,
  withSession,
  withSessionEnded,
  withSessions,
} from './sessions.ts';

/** The claims of a refresh token, how it was sent, and the Idempotency-Key of the request. */
export interface Presented {
  sid: string;
  gen: number;
  ver: number;
  transport: Session['transport'];
  idempotencyKey?: string | undefined;
  /** The thumbprint of the key of the DPoP proof that came with it. */
  jkt?: string | undefined;
}

export type Rotation =
  /** `caught_up`: rotated, and the row had lost a write that the token proves. */
  | { outcome: 'rotated' | 'caught_up' | 'repeated'; session: Session }
  | { outcome: 'reused'; session: Session }
  /** `unproven`: the proof of the session's key is missing. A thief of the token must not end the session, so nothing changes. */
  | { outcome: 'unproven' }
  | { outcome: 'invalid' };

/** How many rotations before the last one are remembered. */
const MAX_ROTATIONS = 7;

/** When the earlier generations were rotated (ms), newest first, as far as remembered. */
const rotationsOf = ({ gen, rotated_at, rotations = [] }: Session): number[] =>
  gen === 0 ? [] : [rotated_at, ...rotations];

/** The same, after the current one is rotated too. A late retry counts as its rotation: that request may be sent again. */
const earlierRotations = ({ retried_at, rotated_at, ...session }: Session): number[] =>
  rotationsOf({ ...session, rotated_at: retried_at ?? rotated_at });

/** The row with the writes that the token proves to be lost, or the same row if none are. */
function withLostWrites(user: User, session: Session, { gen, ver }: Presented, now: number): User {
  const access_version = Math.max(ver, user.access_version);
  const revoked =
    ver === user.token_version
      ? user
      : { ...user, token_version: ver, access_version, revoked_at: now, updated_at: now };
  if (gen <= session.gen) return revoked;
  const { retried_at: _, ...rest } = session;
  // The times of the lost rotations are unknown. Requests with earlier tokens may still be on their way: grace starts now.
  const lost = Array<number>(Math.min(MAX_ROTATIONS, gen - session.gen - 1)).fill(now);
  const rotations = [...lost, ...earlierRotations(session)];
  return withSession(revoked, { ...rest, gen, rotated_at: now, rotations });
}

/**
 * The refresh table. The current generation rotates. An older one gets the newest successor again within the grace
 * of its own rotation, for lost answers, several tabs, reloads and late packets. The one before the current gets it
 * at any time if it brings the Idempotency-Key of its rotation, or if the session is bound to a key: its proof came with it.
 * In all other cases the token was copied, and the session ends (RFC 9700 section 4.14.2). The signature has been checked,
 * so a generation or version above the row's means that the database lost a write (failover to a lagging standby,
 * restored backup), and the row catches up.
 */
export function rotate(
  before: User,
  presented: Presented,
  now: number,
  limits: SessionLimits,
): { user: User; result: Rotation } {
  const found = liveSession(before, presented.sid, now);
  // A session from before the second factor was enabled must not go on without it.
  const isProven = !hasSecondFactor(before) || (found !== undefined && provesSecondFactor(found));
  const isKnown =
    isProven && found?.transport === presented.transport && presented.ver >= before.token_version;
  if (!isKnown || before.status !== 'active')
    return { user: before, result: { outcome: 'invalid' } };

  if (found.jkt !== presented.jkt) return { user: before, result: { outcome: 'unproven' } };

  const user = withLostWrites(before, found, presented, now);
  const session = liveSession(user, presented.sid, now) as Session;
  const { idempotencyKey } = presented;
  const keyHash = idempotencyKey && fingerprint(idempotencyKey);
  const behind = session.gen - presented.gen;
  if (behind === 0) {
    const next = withNextGeneration(session, { keyHash, now, limits });
    const outcome = user === before ? 'rotated' : 'caught_up';
    const { sessions } = withSession(user, next);
    return { user: withSessions(user, sessions, now), result: { outcome, session: next } };
  }
  const rotatedAt = rotationsOf(session)[behind - 1];
  const isInGrace = rotatedAt !== undefined && now <= rotatedAt + limits.grace;
  if (isInGrace) return { user, result: { outcome: 'repeated', session } };
  // The proof of a bound session has been checked above: a copy of the token alone does not come this far.
  const isOwnRetry =
    session.jkt !== undefined || (keyHash !== undefined && session.attempt === keyHash);
  if (behind === 1 && isOwnRetry) {
    const retried = { ...session, retried_at: now };
    return { user: withSession(user, retried), result: { outcome: 'repeated', session: retried } };
  }
  return { user: withSessionEnded(user, session.id, now), result: { outcome: 'reused', session } };
}

/** The session, rotated once. `keyHash`: of the Idempotency-Key, if there was one. */
function withNextGeneration(
  before: Session,
  { keyHash, now, limits }: { keyHash: string | undefined; now: number; limits: SessionLimits },
): Session {
  const { attempt: _, retried_at: __, ...session } = before;
  const earlier = earlierRotations(before).filter((at) => now <= at + limits.grace);
  return {
    ...session,
    gen: session.gen + 1,
    rotated_at: now,
    rotations: earlier.slice(0, MAX_ROTATIONS),
    expires_at: endOf(session.created_at, now, limits),
    ...(keyHash === undefined ? {} : { attempt: keyHash }),
  };
}

/** Seconds until the client should refresh: two thirds to four fifths of an access token's life. `random`: 0 to 1. */
export const refreshAfter = (random: number): number =>
  Math.floor(ACCESS_LIFE * (2 / 3 + random * (2 / 15)));
