import { ACCESS_LIFE } from '../schemas/claims.ts';
import type { RevokedUser, Session, User } from '../schemas/user.ts';
import { withCodesSpent } from './mail-codes.ts';
import { isUnclaimed } from './unclaimed.ts';

/** Milliseconds, except `count`: live sessions of one user. */
export interface SessionLimits {
  idle: number;
  max: number;
  grace: number;
  count: number;
}

/** The details of a sign-in, for its session. */
export type SignIn = Pick<Session, 'id' | 'amr' | 'transport' | 'client'> & Binding;

/** The key of a DPoP proof to which a session is bound (RFC 9449), or nothing. */
export type Binding = Pick<Session, 'jkt' | 'is_bearer'>;

/** The key to which the access tokens of a session are bound. undefined: they are Bearer tokens. */
export const accessKeyOf = ({ jkt, is_bearer }: Binding): string | undefined =>
  is_bearer ? undefined : jkt;

/** RFC 6749 section 5.1, RFC 9449 section 5. */
export const tokenTypeOf = (binding: Binding): 'Bearer' | 'DPoP' =>
  accessKeyOf(binding) === undefined ? 'Bearer' : 'DPoP';

/** How long a revocation matters (ms): until the last access token has expired, plus a minute of clock skew. */
export const REVOCATION_LIFE = (ACCESS_LIFE + 60) * 1_000;

/**
 * A node that starts builds its snapshot from the tombstones, so none may go while its access tokens live. When
 * there are more, a new access version replaces them all: it revokes every access token. Live sessions go on after
 * their next refresh.
 */
const MAX_TOMBSTONES = 100;

/** How long a tombstone stays after it has no more use (ms): a clock that is an hour fast for a moment removes none too early. */
const SPARE = 3_600_000;

/** When a session expires (ms) that was last refreshed at `rotated`. */
export const endOf = (created: number, rotated: number, limits: SessionLimits): number =>
  Math.min(rotated + limits.idle, created + limits.max);

/** What a row has revoked, and no more: it is remembered, and sent to the other workers. */
export const revokedPartOf = ({
  id,
  access_version,
  revoked_at,
  sessions,
}: RevokedUser): RevokedUser => ({
  id,
  access_version,
  revoked_at,
  sessions: sessions.flatMap(({ id, ended_at }) =>
    ended_at === undefined ? [] : [{ id, ended_at }],
  ),
});

export const isLive = (session: Session, now: number): boolean =>
  session.ended_at === undefined && now < session.expires_at;

export const liveSession = (user: User, sid: string, now: number): Session | undefined =>
  user.sessions.find((session) => session.id === sid && isLive(session, now));

/** The session has just proven again who the user is. `amr`: how. `now`: milliseconds. */
export const withProof = (
  user: User,
  sid: string,
  { amr, now }: { amr: string[]; now: number },
): User => ({
  ...user,
  sessions: user.sessions.map((session) =>
    session.id === sid
      ? { ...session, authenticated_at: now, amr: [...new Set([...session.amr, ...amr])] }
      : session,
  ),
});

/** Revokes every access token. Sessions go on: the next refresh takes the roles from the row. */
export const withAccessRevoked = (user: User, now: number): User => ({
  ...user,
  access_version: Math.max(user.access_version, user.token_version) + 1,
  revoked_at: now,
  updated_at: now,
});

/** Revokes every token of every kind. Both versions count together, so that they can be compared. */
export function withTokensRevoked(user: User, now: number): User {
  const revoked = withAccessRevoked(user, now);
  return { ...revoked, token_version: revoked.access_version };
}

/** The user with these sessions, without expired ones and tombstones that are no longer needed. */
export function withSessions(user: User, sessions: Session[], now: number): User {
  const live = sessions.filter((session) => isLive(session, now));
  const endedWithin = (time: number) =>
    sessions.filter(({ ended_at }) => ended_at !== undefined && now < ended_at + time);
  const kept = endedWithin(REVOCATION_LIFE + SPARE);
  const tombstones = (kept.length <= MAX_TOMBSTONES ? kept : endedWithin(REVOCATION_LIFE)).sort(
    (a, b) => Number(b.ended_at) - Number(a.ended_at),
  );
  return tombstones.length <= MAX_TOMBSTONES
    ? { ...user, sessions: [...live, ...tombstones], updated_at: now }
    : withAccessRevoked({ ...user, sessions: live }, now);
}

/** The user with this session in place of the one with its ID. */
export const withSession = (user: User, session: Session): User => ({
  ...user,
  sessions: user.sessions.map((other) => (other.id === session.id ? session : other)),
});

/** Ends the live sessions that `which` picks. If there are none, returns the same user. */
function withSessionsEnded(user: User, now: number, which: (session: Session) => boolean): User {
  const ends = (session: Session) => isLive(session, now) && which(session);
  if (!user.sessions.some(ends)) return user;
  const sessions = user.sessions.map((session) =>
    ends(session) ? { ...session, ended_at: now } : session,
  );
  return { ...withSessions(user, sessions, now), revoked_at: now };
}

/** Starts a session. If there are too many, the least recently refreshed one ends. Codes by mail that were sent before are wrong then, unless a stranger may have made the account: they are the owner's way in. */
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
  const spent = isUnclaimed(user) ? user : withCodesSpent(user);
  const roomy = withSessionsEnded(spent, now, (other) => oldest.includes(other));
  return { user: withSessions(roomy, [...roomy.sessions, session], now), session };
}

export const withSessionEnded = (user: User, sid: string, now: number): User =>
  withSessionsEnded(user, now, ({ id }) => id === sid);

/** Ends a session that the row does not have, such as that of a service account's token. */
export function withTombstone(user: User, sid: string, now: number): User {
  if (user.sessions.some(({ id }) => id === sid)) return user;
  const ended = { id: sid, gen: 0, created_at: now, rotated_at: now, expires_at: now };
  const tombstone: Session = { ...ended, ended_at: now, amr: [], transport: 'body', client: '' };
  return { ...withSessions(user, [...user.sessions, tombstone], now), revoked_at: now };
}

/** Ends every session and revokes every token, including those of sessions that are no longer in the row. */
export const withEverySessionEnded = (user: User, now: number): User =>
  withTokensRevoked(
    withSessionsEnded(user, now, () => true),
    now,
  );

/** Ends every session but one, which keeps its tokens. */
export const withOtherSessionsEnded = (user: User, keep: string, now: number): User =>
  withSessionsEnded(user, now, ({ id }) => id !== keep);

/** Ends every session but one, which needs a new token pair: the token version has changed. */
export const withOtherSessionsEndedAndTokensRevoked = (
  user: User,
  keep: string,
  now: number,
): User => withTokensRevoked(withOtherSessionsEnded(user, keep, now), now);
