import t from 'tap';
import { Revocations } from '../../src/parts/revocations/revocations.ts';
import { rotate } from '../../src/rules/rotation.ts';
import {
  isLive,
  liveSession,
  REVOCATION_LIFE,
  withEverySessionEnded,
  withOtherSessionsEndedAndTokensRevoked,
  withProof,
  withSessionEnded,
  withTombstone,
} from '../../src/rules/sessions.ts';
import type { Session, User } from '../../src/schemas/user.ts';
import { begin, present, signIn } from './rotated.ts';
import { ada, DAY, limits, NOW } from './samples.ts';

t.test(
  'a sign-in starts a session of generation 0 that expires after the idle limit',
  async (t) => {
    const { user, session } = begin(ada(), NOW);
    t.match(session, {
      ...signIn,
      gen: 0,
      created_at: NOW,
      rotated_at: NOW,
      expires_at: NOW + 14 * DAY,
    });
    t.match(session.id, /^[\w-]{22}$/);
    t.same(user.sessions, [session]);
    t.equal(user.revoked_at, null, 'nothing was revoked');
    t.not(begin(ada(), NOW).session.id, session.id);
  },
);

t.test('a session expires at the absolute limit if that comes first', async (t) => {
  const { session } = begin(ada(), NOW, { max: 3 * DAY });
  t.equal(session.expires_at, NOW + 3 * DAY);
});

t.test(
  'one sign-in more than MAX_SESSIONS ends the session that was refreshed longest ago',
  async (t) => {
    let user = ada();
    const sessions: Session[] = [];
    for (let index = 0; index < 3; index += 1) {
      const made = begin(user, NOW + index, { count: 3 });
      user = made.user;
      sessions.push(made.session);
    }
    t.equal(user.revoked_at, null, 'up to the limit no session ends');
    const [first, second, third] = sessions as [Session, Session, Session];
    const turn = rotate(user, present(first), NOW + 10, limits);
    const fourth = begin(turn.user, NOW + 20, { count: 3 });
    const live = fourth.user.sessions
      .filter((session) => isLive(session, NOW + 20))
      .map(({ id }) => id);
    t.same(
      live.sort(),
      [first.id, third.id, fourth.session.id].sort(),
      'the first was refreshed since',
    );
    t.match(
      fourth.user.sessions.find(({ id }) => id === second.id),
      { ended_at: NOW + 20 },
    );
    t.equal(fourth.user.revoked_at, NOW + 20, 'so that the other nodes see it');
  },
);

t.test('when MAX_SESSIONS was lowered, a sign-in ends every session above it', async (t) => {
  let user = ada();
  for (let index = 0; index < 5; index += 1) user = begin(user, NOW + index).user;
  const { user: after, session } = begin(user, NOW + 10, { count: 1 });
  t.same(
    after.sessions.filter((other) => isLive(other, NOW + 10)).map(({ id }) => id),
    [session.id],
  );
});

t.test('a session that has ended does not count against MAX_SESSIONS', async (t) => {
  const first = begin(ada(), NOW);
  const second = begin(first.user, NOW + 1);
  const user = withSessionEnded(second.user, second.session.id, NOW + 2);
  const after = begin(user, NOW + 3, { count: 2 }).user;
  t.ok(liveSession(after, first.session.id, NOW + 3), 'although the ended one was refreshed later');
});

t.test(
  'an expired session does not count against MAX_SESSIONS, and goes with the next write',
  async (t) => {
    const old = begin(ada(), NOW);
    const now = NOW + 14 * DAY;
    const { user, session } = begin(old.user, now, { count: 1 });
    t.same(user.sessions, [session]);
    t.equal(user.revoked_at, null);
  },
);

t.test(
  'an ended session stays as a tombstone until all its access tokens have expired, by a clock that is an hour fast too',
  async (t) => {
    const first = begin(ada(), NOW);
    const ended = withSessionEnded(first.user, first.session.id, NOW + 5);
    t.same(ended.sessions, [{ ...first.session, ended_at: NOW + 5 }]);
    t.match(ended, { revoked_at: NOW + 5, updated_at: NOW + 5, token_version: 0 });
    const until = NOW + 5 + REVOCATION_LIFE + HOUR;
    t.equal(begin(ended, until - 1).user.sessions.length, 2);
    t.equal(begin(ended, until).user.sessions.length, 1);
  },
);

const HOUR = 3_600_000;

/** A hundred tombstones, the maximum. */
function crowded() {
  let user = ada();
  const ids: string[] = [];
  for (let index = 0; index < 100; index += 1) {
    const made = begin(user, NOW + index);
    user = withSessionEnded(made.user, made.session.id, NOW + index);
    ids.push(made.session.id);
  }
  return { user, ids };
}

/** The snapshot of a node that starts and reads this row. */
function learned(user: User) {
  const revocations = new Revocations(() => 0);
  revocations.learn(user);
  return (sid: string, ver: number) => revocations.includes({ sub: user.id, sid, ver });
}

t.test('with too many tombstones ended sessions stay ended, and live ones go on', async (t) => {
  const { user, ids } = crowded();
  t.same(
    user.sessions.map(({ id }) => id),
    ids.toReversed(),
    'a hundred tombstones stay',
  );
  t.equal(user.token_version, 0);
  const [one, two] = [begin(user, NOW + 200), begin(user, NOW + 200)];
  const both = { ...one.user, sessions: [...one.user.sessions, two.session] };
  const after = withSessionEnded(both, one.session.id, NOW + 201);
  t.match(after, { token_version: 0, access_version: 1, revoked_at: NOW + 201 });
  t.same(after.sessions, [two.session], 'the live session stays');
  const isRevoked = learned(after);
  for (const id of [...ids, one.session.id, two.session.id])
    t.ok(isRevoked(id, 0), 'every access token is revoked');
  const turn = rotate(after, present(two.session), NOW + 202, limits);
  t.equal(turn.result.outcome, 'rotated');
  t.notOk(
    isRevoked(two.session.id, turn.user.access_version),
    'the next refresh gives a new access token',
  );
});

t.test('with too many tombstones those go first whose access tokens have expired', async (t) => {
  const { user } = crowded();
  const later = NOW + REVOCATION_LIFE + 200;
  const { user: next, session } = begin(user, later);
  t.equal(next.sessions.length, 101);
  const after = withSessionEnded(next, session.id, later);
  t.same(after.sessions, [{ ...session, ended_at: later }]);
  t.equal(after.access_version, 0, 'no access token was revoked for want of room');
});

t.test('130 sign-ins in a loop end only the sessions above the limit', async (t) => {
  let { user, session: phone } = begin(ada(), NOW);
  for (let index = 1; index <= 130; index += 1) {
    const now = NOW + index * 1_000;
    user = begin(user, now).user;
    const turn = rotate(user, present(phone), now, limits);
    if (turn.result.outcome !== 'rotated') throw new Error(`${index}: ${turn.result.outcome}`);
    user = turn.user;
    phone = turn.result.session;
  }
  const now = NOW + 130_000;
  t.equal(user.sessions.filter((session) => isLive(session, now)).length, limits.count);
  t.ok(user.sessions.length <= limits.count + 100, 'the row is bounded');
  t.match(user, { token_version: 0, access_version: 1 });
});

t.test('a token without a session leaves a tombstone, and the other sessions stay', async (t) => {
  const { user, session } = begin(ada(), NOW);
  const after = withTombstone(withTombstone(user, 'one', NOW + 1), 'two', NOW + 2);
  const tombstone = (id: string, now: number): Session => ({
    id,
    gen: 0,
    created_at: now,
    rotated_at: now,
    expires_at: now,
    ended_at: now,
    amr: [],
    transport: 'body',
    client: '',
  });
  t.same(after.sessions, [session, tombstone('two', NOW + 2), tombstone('one', NOW + 1)]);
  t.equal(
    withTombstone(after, 'one', NOW + 3),
    after,
    'one tombstone, however often it is revoked',
  );
  t.match(after, { revoked_at: NOW + 2, updated_at: NOW + 2, token_version: 0 });
  let many = user;
  const ids = Array.from({ length: 101 }, (_, index) => `${index}`);
  for (const [index, id] of ids.entries()) many = withTombstone(many, id, NOW + index);
  t.match(many, { token_version: 0, access_version: 1, revoked_at: NOW + 100 });
  t.same(many.sessions, [session]);
  const isRevoked = learned(many);
  for (const id of ids) t.ok(isRevoked(id, 0), id);
});

t.test(
  'ending a session that has ended, has expired or never existed changes nothing',
  async (t) => {
    const { user, session } = begin(ada(), NOW);
    const ended = withSessionEnded(user, session.id, NOW);
    t.equal(withSessionEnded(ended, session.id, NOW + 1), ended);
    t.equal(withSessionEnded(user, 'another', NOW), user);
    t.equal(withSessionEnded(user, session.id, NOW + 14 * DAY), user);
  },
);

t.test('ending all ends every session and revokes every token', async (t) => {
  const first = begin(ada(), NOW);
  const { user, session } = begin(first.user, NOW);
  const after = withEverySessionEnded(user, NOW + 1);
  t.match(after, { token_version: 1, access_version: 1, revoked_at: NOW + 1, updated_at: NOW + 1 });
  t.same(
    after.sessions.map(({ ended_at }) => ended_at),
    [NOW + 1, NOW + 1],
  );
  t.notOk(liveSession(after, session.id, NOW + 1));
});

t.test('ending all revokes every token of a user without sessions too', async (t) => {
  t.match(withEverySessionEnded(ada(), NOW), { token_version: 1, revoked_at: NOW, sessions: [] });
});

t.test('ending the others keeps one session, with a new token version', async (t) => {
  const first = begin(ada(), NOW);
  const { user, session } = begin(first.user, NOW);
  const after = withOtherSessionsEndedAndTokensRevoked(user, session.id, NOW + 1);
  t.match(after, { token_version: 1, revoked_at: NOW + 1, updated_at: NOW + 1 });
  t.ok(liveSession(after, session.id, NOW + 1));
  t.notOk(liveSession(after, first.session.id, NOW + 1));
  t.equal(
    rotate(after, present(session), NOW + 1, limits).result.outcome,
    'invalid',
    'the old token pair is refused',
  );
  t.equal(rotate(after, present(session, { ver: 1 }), NOW + 1, limits).result.outcome, 'rotated');
});

t.test('a proof counts for its session alone, and adds to what was proven', async (t) => {
  const first = begin(ada(), NOW);
  const second = begin(first.user, NOW);
  const proven = withProof(second.user, first.session.id, { amr: ['pwd', 'otp'], now: NOW + 5 });
  const [one, other] = [first.session.id, second.session.id].map((id) =>
    proven.sessions.find((session) => session.id === id),
  );
  t.match(one, { authenticated_at: NOW + 5, amr: ['pwd', 'otp'] });
  t.same(other, second.session);
});
