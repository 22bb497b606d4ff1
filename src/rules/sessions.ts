import { ACCESS_LIFE } from '../schemas/claims.ts';
import type { Session, User } from '../schemas/user.ts';

/** All in milliseconds but the count. */
export interface SessionLimits {
  idle: number;
  max: number;
  grace: number;
  count: number;
}

/** What a sign-in says about itself. */
export type SignIn = Pick<Session, 'id' | 'amr' | 'transport' | 'client'>;

/** How long a revocation matters (ms): until the last access token that it concerns has expired, and some skew. */
export const REVOCATION_LIFE = (ACCESS_LIFE + 60) * 1_000;

/**
 * Tombstones kept for the snapshot of a node that starts. None may be forgotten while its access tokens live:
 * when there are more, a new access version ends every access token and stands for them all. The live sessions
 * go on, with their next refresh.
 */
const MAX_TOMBSTONES = 100;

/** When a session ends that was last used at `rotated` (ms). */
export const endOf = (created: number, rotated: number, limits: SessionLimits): number =>
  Math.min(rotated + limits.idle, created + limits.max);

export const isLive = (session: Session, now: number): boolean =>
  session.ended_at === undefined && now < session.expires_at;

export const liveSession = (user: User, sid: string, now: number): Session | undefined =>
  user.sessions.find((session) => session.id === sid && isLive(session, now));

/** Every access token there is dies. Sessions go on: the next refresh has the roles of the row. */
export const withAccessRevoked = (user: User, now: number): User => ({
  ...user,
  access_version: Math.max(user.access_version, user.token_version) + 1,
  revoked_at: now,
  updated_at: now,
});

/** Every token there is dies, of whatever kind. One counter serves both versions, so that they can be compared. */
export function withTokensRevoked(user: User, now: number): User {
  const revoked = withAccessRevoked(user, now);
  return { ...revoked, token_version: revoked.access_version };
}

/** The user with these sessions, without what nobody asks for any more. */
export function withSessions(user: User, sessions: Session[], now: number): User {
  const live = sessions.filter((session) => isLive(session, now));
  const tombstones = sessions
    .filter(({ ended_at }) => ended_at !== undefined && now < ended_at + REVOCATION_LIFE)
    .sort((a, b) => Number(b.ended_at) - Number(a.ended_at));
  return tombstones.length <= MAX_TOMBSTONES
    ? { ...user, sessions: [...live, ...tombstones], updated_at: now }
    : withAccessRevoked({ ...user, sessions: live }, now);
}

/** The user with this session in the place of the one that has its id. */
export const withSession = (user: User, session: Session): User => ({
  ...user,
  sessions: user.sessions.map((other) => (other.id === session.id ? session : other)),
});

/** Ends those of the live sessions that `which` picks. */
function end(user: User, now: number, which: (session: Session) => boolean): User {
  const ends = (session: Session) => isLive(session, now) && which(session);
  if (!user.sessions.some(ends)) return user;
  const sessions = user.sessions.map((session) =>
    ends(session) ? { ...session, ended_at: now } : session,
  );
  return { ...withSessions(user, sessions, now), revoked_at: now };
}

/** A new session; when there are too many, the least recently used one makes room. */
export function withNewSession(user: User, signIn: SignIn, now: number, limits: SessionLimits) {
  const { id, ...how } = signIn;
  const session: Session = {
    id,
    gen: 0,
    created_at: now,
    rotated_at: now,
    expires_at: endOf(now, now, limits),
    ...how,
  };
  const oldest = user.sessions
    .filter((other) => isLive(other, now))
    .sort((a, b) => b.rotated_at - a.rotated_at)
    .slice(limits.count - 1);
  const roomy = end(user, now, (other) => oldest.includes(other));
  return { user: withSessions(roomy, [...roomy.sessions, session], now), session };
}

export const withSessionEnded = (user: User, sid: string, now: number): User =>
  end(user, now, ({ id }) => id === sid);

/** Marks the session of a token that has none in the row, as a machine's, as ended. */
export function withTombstone(user: User, sid: string, now: number): User {
  if (user.sessions.some(({ id }) => id === sid)) return user;
  const ended = { id: sid, gen: 0, created_at: now, rotated_at: now, expires_at: now };
  const tombstone: Session = { ...ended, ended_at: now, amr: [], transport: 'body', client: '' };
  return { ...withSessions(user, [...user.sessions, tombstone], now), revoked_at: now };
}

/** Every session ends, and every token there is dies, also of sessions that nobody knows any more. */
export const withEverySessionEnded = (user: User, now: number): User =>
  withTokensRevoked(
    end(user, now, () => true),
    now,
  );

/** Every session but one ends, and the one goes on with the tokens that it has. */
export const withOtherSessionsEnded = (user: User, keep: string, now: number): User =>
  end(user, now, ({ id }) => id !== keep);

/** Every session but one ends; the one needs a new pair of tokens, as the token version is new. */
export const withOtherSessionsEndedAndTokensRevoked = (
  user: User,
  keep: string,
  now: number,
): User => withTokensRevoked(withOtherSessionsEnded(user, keep, now), now);
