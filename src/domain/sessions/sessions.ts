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
  /** `caught_up`: rotated too; the row had lost a write, and the token told it. */
  | { outcome: 'rotated' | 'caught_up' | 'repeated'; session: Session }
  | { outcome: 'reused'; session: Session }
  | { outcome: 'invalid' };

/**
 * Tombstones kept for the snapshot of a node that starts. None may be forgotten while its access tokens live:
 * when there are more, a new access version ends every access token and stands for them all. The live sessions
 * go on, with their next refresh.
 */
const MAX_TOMBSTONES = 100;

/** Rotations before the last one whose instants are kept. */
const MAX_ROTATIONS = 7;

const endOf = (created: number, rotated: number, limits: SessionLimits): number =>
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
function withSessions(user: User, sessions: Session[], now: number): User {
  const live = sessions.filter((session) => isLive(session, now));
  const tombstones = sessions
    .filter(({ ended_at }) => ended_at !== undefined && now < ended_at + REVOCATION_LIFE)
    .sort((a, b) => Number(b.ended_at) - Number(a.ended_at));
  return tombstones.length <= MAX_TOMBSTONES
    ? { ...user, sessions: [...live, ...tombstones], updated_at: now }
    : withAccessRevoked({ ...user, sessions: live }, now);
}

/** The user with this session in the place of the one that has its id. */
const withSession = (user: User, session: Session): User => ({
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

/** Every session ends, and every token there is dies, also of sessions that nobody knows any more. */
export const endAll = (user: User, now: number): User =>
  withTokensRevoked(
    end(user, now, () => true),
    now,
  );

/** Every session but one ends, and the one goes on with the tokens that it has. */
export const endOthersQuietly = (user: User, keep: string, now: number): User =>
  end(user, now, ({ id }) => id !== keep);

/** Every session but one ends; the one needs a new pair of tokens, as the token version is new. */
export const endOthers = (user: User, keep: string, now: number): User =>
  withTokensRevoked(endOthersQuietly(user, keep, now), now);

/**
 * When the generations before the current one were rotated (ms), newest first, as far as it is known. A late retry
 * counts like the rotation: its request may come twice, too.
 */
const rotationsOf = ({ gen, rotated_at, retried_at, rotations = [] }: Session): number[] =>
  gen === 0 ? [] : [retried_at ?? rotated_at, ...rotations];

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
  const rotations = [...lost, ...rotationsOf(session)];
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
  const attempt = presented.attempt && fingerprint(presented.attempt);
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
  return { user: endSession(user, session.id, now), result: { outcome: 'reused', session } };
}

/** The next generation. `attempt`: the hash of the key that it was asked for with. */
function rotatedOnce(
  before: Session,
  attempt: string | undefined,
  now: number,
  limits: SessionLimits,
): Session {
  const { attempt: _, retried_at: __, ...session } = before;
  const earlier = rotationsOf(before).filter((at) => now <= at + limits.grace);
  return {
    ...session,
    gen: session.gen + 1,
    rotated_at: now,
    rotations: earlier.slice(0, MAX_ROTATIONS),
    expires_at: endOf(session.created_at, now, limits),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

/** Seconds to wait before the next refresh: from two thirds to four fifths of an access token's life. */
export const refreshAfter = (): number =>
  Math.floor(ACCESS_LIFE * (2 / 3 + Math.random() * (2 / 15)));
