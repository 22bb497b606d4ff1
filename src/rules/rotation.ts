import { ACCESS_LIFE } from '../schemas/claims.ts';
import type { Session, User } from '../schemas/user.ts';
import { fingerprint } from './fingerprint.ts';
import { hasSecondFactor } from './second-factor.ts';
import {
  endOf,
  liveSession,
  type SessionLimits,
  withSession,
  withSessionEnded,
  withSessions,
} from './sessions.ts';

/** What a refresh token says, how it travelled, and the Idempotency-Key that it came with. */
export interface Presented {
  sid: string;
  gen: number;
  ver: number;
  transport: Session['transport'];
  idempotencyKey?: string | undefined;
}

export type Rotation =
  /** `caught_up`: rotated too; the row had lost a write, and the token told it. */
  | { outcome: 'rotated' | 'caught_up' | 'repeated'; session: Session }
  | { outcome: 'reused'; session: Session }
  | { outcome: 'invalid' };

/** Rotations before the last one whose instants are kept. */
const MAX_ROTATIONS = 7;

/** When the generations before the current one were rotated (ms), newest first, as far as it is known. */
const rotationsOf = ({ gen, rotated_at, rotations = [] }: Session): number[] =>
  gen === 0 ? [] : [rotated_at, ...rotations];

/** The same, once the current one is rotated too: a late retry counts like the rotation, as its request may come twice. */
const earlierRotations = ({ retried_at, rotated_at, ...session }: Session): number[] =>
  rotationsOf({ ...session, rotated_at: retried_at ?? rotated_at });

/** The row with what the token proves it to have lost, or the same row: it has lost nothing. */
function caughtUp(user: User, session: Session, { gen, ver }: Presented, now: number): User {
  const access_version = Math.max(ver, user.access_version);
  const told =
    ver === user.token_version
      ? user
      : { ...user, token_version: ver, access_version, revoked_at: now, updated_at: now };
  if (gen <= session.gen) return told;
  const { retried_at: _, ...rest } = session;
  // When the lost rotations were is lost too. Requests with the tokens before them may still be on their way.
  const lost = Array<number>(Math.min(MAX_ROTATIONS, gen - session.gen - 1)).fill(now);
  const rotations = [...lost, ...earlierRotations(session)];
  return withSession(told, { ...rest, gen, rotated_at: now, rotations });
}

/**
 * The refresh table. The current generation rotates. An older one gets the newest successor again as long as the
 * grace of its own rotation runs: lost answers, several tabs, reloads, late packets. The one before the current
 * gets it at any time with the key of the attempt that rotated it. Everything else was copied: the session ends
 * (RFC 9700 section 4.14.2). A generation or version above the row's is no forgery, as the token is ours: a standby
 * that lagged was promoted, or a backup restored, and the row takes it.
 */
export function rotate(
  before: User,
  presented: Presented,
  now: number,
  limits: SessionLimits,
): { user: User; result: Rotation } {
  const found = liveSession(before, presented.sid, now);
  // A session from before the second factor does not go on without it.
  const isProven = !hasSecondFactor(before) || found?.amr.includes('mfa');
  const isKnown =
    isProven && found?.transport === presented.transport && presented.ver >= before.token_version;
  if (!isKnown || before.status !== 'active')
    return { user: before, result: { outcome: 'invalid' } };

  const user = caughtUp(before, found, presented, now);
  const session = liveSession(user, presented.sid, now) as Session;
  const { idempotencyKey } = presented;
  const attempt = idempotencyKey && fingerprint(idempotencyKey);
  const behind = session.gen - presented.gen;
  if (behind === 0) {
    const next = rotatedOnce(session, attempt, now, limits);
    const outcome = user === before ? 'rotated' : 'caught_up';
    const { sessions } = withSession(user, next);
    return { user: withSessions(user, sessions, now), result: { outcome, session: next } };
  }
  const rotatedAt = rotationsOf(session)[behind - 1];
  const isInGrace = rotatedAt !== undefined && now <= rotatedAt + limits.grace;
  if (isInGrace) return { user, result: { outcome: 'repeated', session } };
  if (behind === 1 && attempt !== undefined && session.attempt === attempt) {
    const retried = { ...session, retried_at: now };
    return { user: withSession(user, retried), result: { outcome: 'repeated', session: retried } };
  }
  return { user: withSessionEnded(user, session.id, now), result: { outcome: 'reused', session } };
}

/** The next generation. `attempt`: the hash of the key that it was asked for with. */
function rotatedOnce(
  before: Session,
  attempt: string | undefined,
  now: number,
  limits: SessionLimits,
): Session {
  const { attempt: _, retried_at: __, ...session } = before;
  const earlier = earlierRotations(before).filter((at) => now <= at + limits.grace);
  return {
    ...session,
    gen: session.gen + 1,
    rotated_at: now,
    rotations: earlier.slice(0, MAX_ROTATIONS),
    expires_at: endOf(session.created_at, now, limits),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

/** Seconds to wait before the next refresh: from two thirds to four fifths of an access token's life. `random`: from 0 to 1. */
export const refreshAfter = (random: number): number =>
  Math.floor(ACCESS_LIFE * (2 / 3 + random * (2 / 15)));
