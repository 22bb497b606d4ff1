import { randomBytes } from 'node:crypto';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { fingerprint } from '../fingerprint.ts';
import { hasSecondFactor } from '../second-factor/second-factor.ts';
import { REVOCATION_LIFE } from './revocations.ts';

/** All in milliseconds but the count. */
export interface SessionLimits {
  idle: number;
  max: number;
  grace: number;
  count: number;
}

/** What a sign-in says about itself. */
export type SignIn = Pick<Session, 'amr' | 'transport' | 'client'>;

/** What a refresh token says, how it travelled, and the Idempotency-Key that it came with. */
export interface Presented {
  sid: string;
  gen: number;
  ver: number;
  transport: Session['transport'];
  attempt?: string | undefined;
}

export type Rotation =
  | { outcome: 'rotated' | 'repeated'; session: Session }
  | { outcome: 'reused'; session: Session }
  | { outcome: 'invalid' };

/**
 * Tombstones kept for the snapshot of a node that starts; more in one access-token life is no normal use.
 * None may be forgotten while its tokens live: with more, a new token version ends every token there is, and
 * stands for them all. People sign in again then. Only who has the password, or the secret, can bring that about.
 */
const MAX_TOMBSTONES = 100;

const endOf = (created: number, rotated: number, limits: SessionLimits): number =>
  Math.min(rotated + limits.idle, created + limits.max);

export const isLive = (session: Session, now: number): boolean =>
  session.ended_at === undefined && now < session.expires_at;

export const liveSession = (user: User, sid: string, now: number): Session | undefined =>
  user.sessions.find((session) => session.id === sid && isLive(session, now));

/** The user with these sessions, without what nobody asks for any more. `keep`: stays though all others go. */
function withSessions(user: User, sessions: Session[], now: number, keep?: string): User {
  const live = sessions.filter((session) => isLive(session, now));
  const tombstones = sessions
    .filter(({ ended_at }) => ended_at !== undefined && now < ended_at + REVOCATION_LIFE)
    .sort((a, b) => Number(b.ended_at) - Number(a.ended_at));
  if (tombstones.length <= MAX_TOMBSTONES)
    return { ...user, sessions: [...live, ...tombstones], updated_at: now };
  return {
    ...user,
    sessions: live.filter(({ id }) => id === keep),
    token_version: user.token_version + 1,
    revoked_at: now,
    updated_at: now,
  };
}

/** Ends those of the live sessions that `which` picks. `keep`: see `withSessions`. */
function end(user: User, now: number, which: (session: Session) => boolean, keep?: string): User {
  const ends = (session: Session) => isLive(session, now) && which(session);
  if (!user.sessions.some(ends)) return user;
  const sessions = user.sessions.map((session) =>
    ends(session) ? { ...session, ended_at: now } : session,
  );
  return { ...withSessions(user, sessions, now, keep), revoked_at: now };
}

/** A new session; when there are too many, the least recently used one makes room. */
export function start(user: User, signIn: SignIn, now: number, limits: SessionLimits) {
  const session: Session = {
    id: randomBytes(16).toString('base64url'),
    gen: 0,
    created_at: now,
    rotated_at: now,
    expires_at: endOf(now, now, limits),
    ...signIn,
  };
  const oldest = user.sessions
    .filter((other) => isLive(other, now))
    .sort((a, b) => b.rotated_at - a.rotated_at)
    .slice(limits.count - 1);
  const roomy = end(user, now, (other) => oldest.includes(other));
  return { user: withSessions(roomy, [...roomy.sessions, session], now), session };
}

export const endSession = (user: User, sid: string, now: number): User =>
  end(user, now, ({ id }) => id === sid);

/** Marks the session of a token that has none in the row, as a machine's, as ended. */
export function withTombstone(user: User, sid: string, now: number): User {
  if (user.sessions.some(({ id }) => id === sid)) return user;
  const ended = { id: sid, gen: 0, created_at: now, rotated_at: now, expires_at: now };
  const tombstone: Session = { ...ended, ended_at: now, amr: [], transport: 'body', client: '' };
  return { ...withSessions(user, [...user.sessions, tombstone], now), revoked_at: now };
}

/** Every session ends, and with a new token version every token there is, also of sessions that nobody knows any more. */
export function endAll(user: User, now: number): User {
  const ended = end(user, now, () => true);
  return { ...ended, token_version: user.token_version + 1, revoked_at: now, updated_at: now };
}

/** Every session but one ends, and the one goes on with the tokens that it has, unless there are too many tombstones. */
export const endOthersQuietly = (user: User, keep: string, now: number): User =>
  end(user, now, ({ id }) => id !== keep, keep);

/** Every session but one ends; the one needs a new pair of tokens, as the token version is new. */
export function endOthers(user: User, keep: string, now: number): User {
  const ended = endOthersQuietly(user, keep, now);
  return { ...ended, token_version: user.token_version + 1, revoked_at: now, updated_at: now };
}

/** A retry of the attempt that rotated: its key again, at any time; or, with no key, soon after. */
const isRetry = (
  session: Session,
  attempt: string | undefined,
  now: number,
  grace: number,
): boolean =>
  attempt === undefined ? now <= session.rotated_at + grace : session.attempt === attempt;

/**
 * The refresh table. The current generation rotates. The one before it gets the same successor again, if it
 * is a retry: a successor that had been presented would have rotated in turn, so it is unused for certain.
 * Everything older was copied: the session ends (RFC 9700 section 4.14.2).
 */
export function rotate(
  user: User,
  presented: Presented,
  now: number,
  limits: SessionLimits,
): { user: User; result: Rotation } {
  const session = liveSession(user, presented.sid, now);
  // A session from before the second factor does not go on without it.
  const proven = !hasSecondFactor(user) || session?.amr.includes('mfa');
  const known =
    proven && session?.transport === presented.transport && presented.gen <= session.gen;
  if (!known || user.status !== 'active' || presented.ver !== user.token_version) {
    return { user, result: { outcome: 'invalid' } };
  }
  const attempt = presented.attempt && fingerprint(presented.attempt);
  if (presented.gen === session.gen) {
    const { attempt: _, ...rest } = session;
    const next: Session = {
      ...rest,
      gen: session.gen + 1,
      rotated_at: now,
      expires_at: endOf(session.created_at, now, limits),
      ...(attempt === undefined ? {} : { attempt }),
    };
    const sessions = user.sessions.map((other) => (other === session ? next : other));
    return {
      user: withSessions(user, sessions, now),
      result: { outcome: 'rotated', session: next },
    };
  }
  if (presented.gen === session.gen - 1 && isRetry(session, attempt, now, limits.grace)) {
    return { user, result: { outcome: 'repeated', session } };
  }
  return { user: endSession(user, session.id, now), result: { outcome: 'reused', session } };
}

/** Seconds to wait before the next refresh: from two thirds to four fifths of an access token's life. */
export const refreshAfter = (): number =>
  Math.floor(ACCESS_LIFE * (2 / 3 + Math.random() * (2 / 15)));
