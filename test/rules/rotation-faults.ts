import { fingerprint } from '../../src/rules/fingerprint.ts';
import { type Presented, type Rotation, rotate } from '../../src/rules/rotation.ts';
import { type SessionLimits, withSessionEnded } from '../../src/rules/sessions.ts';
import type { Session, User } from '../../src/schemas/user.ts';
import type { Search } from './refresh-search.ts';
import { DAY, SECOND } from './samples.ts';

/** A fault around the real `rotate`, and the client that notices it first. */
interface Fault extends Omit<Search, 'depth'> {
  what: string;
  /** If the way is longer than that to the others. */
  depth?: number;
}

const invalid: Rotation = { outcome: 'invalid' };

const withGrace =
  (change: (grace: number) => number): typeof rotate =>
  (user, presented, now, limits) =>
    rotate(user, presented, now, { ...limits, grace: change(limits.grace) });

const withPresented =
  (change: (presented: Presented, session: Session) => Presented): typeof rotate =>
  (user, presented, now, limits) =>
    rotate(user, change(presented, user.sessions[0] as Session), now, limits);

const refusing =
  (which: (presented: Presented, user: User, session: Session) => boolean): typeof rotate =>
  (user, presented, now, limits) =>
    which(presented, user, user.sessions[0] as Session)
      ? { user, result: invalid }
      : rotate(user, presented, now, limits);

/** What is stored differs from what was decided. */
const storing =
  (change: (session: Session, before: Session, limits: SessionLimits) => Session): typeof rotate =>
  (user, presented, now, limits) => {
    const turn = rotate(user, presented, now, limits);
    const [before] = user.sessions;
    const sessions = turn.user.sessions.map((session) =>
      before && session !== before ? change(session, before, limits) : session,
    );
    return turn.user === user ? turn : { ...turn, user: { ...turn.user, sessions } };
  };

/** A late retry with another Idempotency-Key is taken for a theft, whatever it proves. */
const retryingWithKeyOnly: typeof rotate = (user, presented, now, limits) => {
  const turn = rotate(user, presented, now, limits);
  const [session] = user.sessions as [Session];
  const isLate = turn.result.outcome === 'repeated' && now > session.rotated_at + limits.grace;
  const isKept =
    presented.idempotencyKey !== undefined &&
    session.attempt === fingerprint(presented.idempotencyKey);
  return isLate && !isKept ? { user, result: invalid } : turn;
};

/** Rules that were used before, that someone may try, or that differ by one. */
export const FAULTS: Fault[] = [
  {
    what: 'a grace that is 10 s too short',
    client: 'tabs',
    rotate: withGrace((grace) => grace - 10 * SECOND),
  },
  {
    what: 'a grace that is 1 ms too short',
    client: 'tabs',
    rotate: withGrace((grace) => grace - 1),
  },
  { what: 'no grace', client: 'tabs', rotate: withGrace(() => -1) },
  {
    what: 'a grace that is 1 ms too long',
    client: 'tabs',
    rotate: withGrace((grace) => grace + 1),
  },
  { what: 'a grace of a day', client: 'tabs', rotate: withGrace(() => DAY) },
  {
    what: 'generations counted one too low',
    client: 'tabs',
    rotate: withPresented((presented) => ({ ...presented, gen: presented.gen - 1 })),
  },
  {
    what: 'the generation before the current one taken for it',
    client: 'tabs',
    rotate: withPresented((presented, { gen }) =>
      presented.gen === gen - 1 ? { ...presented, gen } : presented,
    ),
  },
  {
    what: 'a key that is ignored',
    client: 'app',
    rotate: withPresented((presented) => ({ ...presented, idempotencyKey: undefined })),
  },
  {
    what: 'a key that is not stored',
    client: 'app',
    rotate: storing(({ attempt: _, ...session }) => session),
  },
  {
    what: 'a different key treated as a theft',
    client: 'tabs',
    rotate: (user, presented, now, limits) => {
      const turn = rotate(user, presented, now, limits);
      const other = rotate(user, presented, now + DAY, limits);
      return turn.result.outcome === 'repeated' && other.result.outcome === 'reused'
        ? { user, result: invalid }
        : turn;
    },
  },
  {
    what: 'every key taken for the right one',
    client: 'tabs',
    rotate: (user, presented, now, limits) => {
      const [session] = user.sessions;
      const isOneBehind = session !== undefined && presented.gen === session.gen - 1;
      return isOneBehind && session.ended_at === undefined
        ? { user, result: { outcome: 'repeated', session } }
        : rotate(user, presented, now, limits);
    },
  },
  {
    what: 'a first request that arrives last and is treated as a theft',
    client: 'tabs',
    rotate: refusing(({ gen }, _, session) => gen < session.gen - 1),
  },
  {
    what: 'earlier rotations that are forgotten',
    client: 'tabs',
    rotate: storing((session) => ({ ...session, rotations: [] })),
  },
  {
    what: 'a late retry that is not remembered',
    client: 'app',
    isAlone: true,
    depth: 10,
    rotate: storing(({ retried_at: _, ...session }) => session),
  },
  {
    what: 'a generation above the row that is refused',
    client: 'app',
    rotate: refusing(({ gen }, _, session) => gen > session.gen),
  },
  {
    what: 'a version above the row that is refused',
    client: 'app',
    rotate: refusing(({ ver }, { token_version }) => ver > token_version),
  },
  {
    what: 'lost rotations that get no grace',
    client: 'tabs',
    rotate: storing((session, before) =>
      session.gen > before.gen + 1 ? { ...session, rotations: [] } : session,
    ),
  },
  {
    what: 'a theft that is refused, but does not end the session',
    client: 'tabs',
    rotate: (user, presented, now, limits) => {
      const turn = rotate(user, presented, now, limits);
      return turn.result.outcome === 'reused' ? { ...turn, user } : turn;
    },
  },
  ...(['tabs', 'app'] as const).map((client) => ({
    what: `a proof that does not stand for the key of a retry (${client})`,
    client,
    isBound: true,
    rotate: retryingWithKeyOnly,
  })),
  {
    what: 'a proof that is not asked for',
    client: 'tabs',
    isBound: true,
    rotate: withPresented((presented, { jkt }) => ({ ...presented, jkt })),
  },
  {
    what: 'a missing proof that ends the session',
    client: 'tabs',
    isBound: true,
    rotate: (user, presented, now, limits) => {
      const turn = rotate(user, presented, now, limits);
      return turn.result.outcome === 'unproven'
        ? { ...turn, user: withSessionEnded(user, presented.sid, now) }
        : turn;
    },
  },
];
