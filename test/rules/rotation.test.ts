import t from 'tap';
import { type Presented, refreshAfter, rotate } from '../../src/rules/rotation.ts';
import { liveSession, withSessionEnded } from '../../src/rules/sessions.ts';
import type { User } from '../../src/schemas/user.ts';
import { begin, present, rotated } from './rotated.ts';
import { ada, DAY, limits, NOW } from './samples.ts';

t.test('the current generation rotates', async (t) => {
  const { user, session } = rotated(3);
  const now = NOW + DAY;
  const turn = rotate(user, present(session), now, limits);
  const next = { ...session, gen: 4, rotated_at: now, rotations: [], expires_at: now + 14 * DAY };
  t.same(turn.result, { outcome: 'rotated', session: next });
  t.same(turn.user.sessions, [next]);
  t.match(turn.user, { updated_at: now, revoked_at: null, token_version: 0 });
  t.same(user.sessions, [session], 'the row that was read is not modified');
});

t.test('a rotation leaves the other sessions alone', async (t) => {
  const first = begin(ada(), NOW);
  const second = begin(first.user, NOW + 1);
  const turn = rotate(second.user, present(first.session), NOW + 2, limits);
  t.equal(turn.result.outcome, 'rotated');
  t.same(
    turn.user.sessions.find(({ id }) => id === second.session.id),
    second.session,
  );
});

t.test(
  'a session that is refreshed every day ends at its absolute limit, counted from the sign-in',
  async (t) => {
    let { user, session } = begin(ada(), NOW);
    for (let day = 1; day < 30; day += 1) {
      const turn = rotate(user, present(session), NOW + day * DAY, limits);
      if (turn.result.outcome !== 'rotated') throw new Error(`day ${day}: ${turn.result.outcome}`);
      user = turn.user;
      session = turn.result.session;
      t.ok(session.expires_at <= NOW + 30 * DAY);
    }
    t.equal(session.expires_at, NOW + 30 * DAY);
    t.equal(rotate(user, present(session), NOW + 30 * DAY - 1, limits).result.outcome, 'rotated');
    t.same(rotate(user, present(session), NOW + 30 * DAY, limits).result, { outcome: 'invalid' });
  },
);

t.test('a session that is not refreshed ends after the idle limit, and not before', async (t) => {
  const { user, session } = begin(ada(), NOW);
  t.equal(rotate(user, present(session), NOW + 14 * DAY - 1, limits).result.outcome, 'rotated');
  const late = rotate(user, present(session), NOW + 14 * DAY, limits);
  t.same(late, { user, result: { outcome: 'invalid' } });
  t.equal(late.user, user, 'nothing to write');
});

interface Row {
  what: string;
  /** The generation in the row, and the key of the request that made it. */
  row: [number, string?];
  /** The generation presented, its key, and the time since the last rotation (ms). */
  shown: [number, string?];
  after: number;
  outcome: 'rotated' | 'caught_up' | 'repeated' | 'reused';
}

const table: Row[] = [
  { what: 'the current one', row: [1], shown: [1], after: 0, outcome: 'rotated' },
  { what: 'the current one, much later', row: [1], shown: [1], after: DAY, outcome: 'rotated' },
  { what: 'the current one, with a key', row: [1], shown: [1, 'k'], after: 0, outcome: 'rotated' },
  {
    what: 'the current one, with the key of the last rotation',
    row: [1, 'k'],
    shown: [1, 'k'],
    after: 0,
    outcome: 'rotated',
  },
  { what: 'the last one, at once', row: [1], shown: [0], after: 0, outcome: 'repeated' },
  {
    what: 'the last one, at the end of the grace',
    row: [2],
    shown: [1],
    after: limits.grace,
    outcome: 'repeated',
  },
  {
    what: 'the last one, after the grace',
    row: [2],
    shown: [1],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  {
    what: 'the last one, without the key of its rotation, within the grace',
    row: [2, 'k'],
    shown: [1],
    after: limits.grace,
    outcome: 'repeated',
  },
  {
    what: 'the last one, without the key of its rotation, after the grace',
    row: [2, 'k'],
    shown: [1],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  {
    what: 'the last one, with the same key, at once',
    row: [2, 'k'],
    shown: [1, 'k'],
    after: 0,
    outcome: 'repeated',
  },
  {
    what: 'the last one, with the same key, days later',
    row: [2, 'k'],
    shown: [1, 'k'],
    after: 13 * DAY,
    outcome: 'repeated',
  },
  {
    what: 'the last one, with another key, at the end of the grace',
    row: [2, 'k'],
    shown: [1, 'l'],
    after: limits.grace,
    outcome: 'repeated',
  },
  {
    what: 'the last one, with another key, after the grace',
    row: [2, 'k'],
    shown: [1, 'l'],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  {
    what: 'the last one, with a key that the rotation did not have, within the grace',
    row: [2],
    shown: [1, 'k'],
    after: limits.grace,
    outcome: 'repeated',
  },
  {
    what: 'the last one, with a key that the rotation did not have, after the grace',
    row: [2],
    shown: [1, 'k'],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  {
    what: 'the one before the last, at the end of its grace',
    row: [2],
    shown: [0],
    after: limits.grace,
    outcome: 'repeated',
  },
  {
    what: 'the one before the last, after its grace',
    row: [2],
    shown: [0],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  {
    what: 'the one before the last, with the key of the last, after its grace',
    row: [2, 'k'],
    shown: [0, 'k'],
    after: limits.grace + 1,
    outcome: 'reused',
  },
  { what: 'the eighth before, at once', row: [9], shown: [1], after: 0, outcome: 'repeated' },
  { what: 'the ninth before, at once', row: [9], shown: [0], after: 0, outcome: 'reused' },
  { what: 'one above the row', row: [1], shown: [2], after: DAY, outcome: 'caught_up' },
  { what: 'one far above the row', row: [1], shown: [40], after: DAY, outcome: 'caught_up' },
];

for (const { what, row, shown, after, outcome } of table) {
  t.test(`refreshing with ${what}: ${outcome}`, async (t) => {
    const { user, session } = rotated(...row);
    const now = NOW + after;
    const turn = rotate(
      user,
      present(session, { gen: shown[0], idempotencyKey: shown[1] }),
      now,
      limits,
    );
    t.equal(turn.result.outcome, outcome);
    const [left] = turn.user.sessions;
    if (outcome === 'rotated') {
      t.match(left, { gen: row[0] + 1, rotated_at: now });
    } else if (outcome === 'caught_up') {
      t.match(left, { gen: shown[0] + 1, rotated_at: now });
      t.equal(turn.user.revoked_at, null, 'nothing is revoked');
    } else if (outcome === 'repeated') {
      t.match(turn.result, { outcome, session }, 'the successor is the one in the row');
      if (after <= limits.grace) t.equal(turn.user, user, 'nothing to write');
    } else {
      t.match(left, { id: session.id, ended_at: now }, 'the session has ended');
      t.match(turn.user, { revoked_at: now, token_version: 0 });
      t.match(turn.result, { outcome, session: { id: session.id } });
      for (const gen of [row[0], row[0] - 1, row[0] + 1, shown[0]]) {
        const next = rotate(turn.user, present(session, { gen }), now, limits);
        t.same(
          next,
          { user: turn.user, result: { outcome: 'invalid' } },
          `generation ${gen} is refused too`,
        );
      }
    }
  });
}

t.test('an Idempotency-Key is stored as a hash, and only until the next rotation', async (t) => {
  const { user, session } = rotated(1, 'a-key-of-the-client');
  t.notMatch(JSON.stringify(user), 'a-key-of-the-client');
  t.match(session.attempt, /^[\w-]{22}$/);
  const turn = rotate(user, present(session), NOW, limits);
  t.notOk('attempt' in (turn.user.sessions[0] ?? {}));
});

t.test('only rotations whose grace may still run are remembered, at most eight', async (t) => {
  let { user, session } = rotated(1);
  const turnAt = (now: number) => {
    const turn = rotate(user, present(session), now, limits);
    if (turn.result.outcome !== 'rotated') throw new Error(turn.result.outcome);
    user = turn.user;
    session = turn.result.session;
    return session.rotations;
  };
  t.same(turnAt(NOW + limits.grace), [NOW]);
  t.same(turnAt(NOW + limits.grace + 1), [NOW + limits.grace]);
  for (let more = 0; more < 20; more += 1) turnAt(NOW + limits.grace + 2);
  t.equal(session.rotations?.length, 7, 'besides the last rotation');
  t.same(turnAt(NOW + DAY), []);
});

t.test(
  'each older generation has the grace of its own rotation, not of the last one',
  async (t) => {
    const first = rotated(1);
    const second = rotate(first.user, present(first.session), NOW + 20_000, limits).user;
    const outcome = (gen: number, after: number) =>
      rotate(second, present(first.session, { gen }), NOW + after, limits).result.outcome;
    t.equal(outcome(0, 30_000), 'repeated');
    t.equal(outcome(0, 30_001), 'reused');
    t.equal(outcome(1, 50_000), 'repeated');
    t.equal(outcome(1, 50_001), 'reused');
  },
);

t.test(
  'a late retry with its key is remembered, so that a second copy of it is accepted too',
  async (t) => {
    const { user, session } = rotated(1, 'k');
    const late = NOW + DAY;
    const retry = rotate(user, present(session, { gen: 0, idempotencyKey: 'k' }), late, limits);
    t.equal(retry.result.outcome, 'repeated');
    t.match(
      retry.user.sessions,
      [{ gen: 1, rotated_at: NOW, retried_at: late }],
      'nothing rotates',
    );
    for (const idempotencyKey of [undefined, 'l']) {
      const other = rotate(retry.user, present(session, { gen: 0, idempotencyKey }), late, limits);
      t.equal(other.result.outcome, 'reused', 'another key, or none, is still refused');
    }
    const next = rotate(retry.user, present(session), late + 1, limits);
    t.equal(next.result.outcome, 'rotated');
    t.notOk('retried_at' in (next.user.sessions[0] ?? {}));
    const copy = (now: number) =>
      rotate(next.user, present(session, { gen: 0, idempotencyKey: 'k' }), now, limits).result
        .outcome;
    t.equal(copy(late + limits.grace), 'repeated');
    t.equal(copy(late + limits.grace + 1), 'reused');
  },
);

t.test(
  'a bound session with its proof gets the successor that it missed at any time, whatever the key',
  async (t) => {
    const jkt = 'the thumbprint';
    const late = NOW + DAY;
    for (const [first, again] of [[], ['k'], ['k', 'l'], [undefined, 'l']] as [
      string?,
      string?,
    ][]) {
      const { user: bearer, session } = rotated(2, first);
      const user = { ...bearer, sessions: [{ ...session, jkt }] };
      const lost = present(session, { gen: 1, idempotencyKey: again, jkt });
      const retry = rotate(user, lost, late, limits);
      t.match(retry.result, { outcome: 'repeated', session: { gen: 2, retried_at: late } });
      const own = (row: User, gen: number, now: number) =>
        rotate(row, present(session, { gen, jkt }), now, limits);
      const next = own(retry.user, 2, late + 1);
      t.equal(next.result.outcome, 'rotated');
      t.equal(own(next.user, 1, late + limits.grace).result.outcome, 'repeated', 'a second copy');
      t.equal(own(next.user, 1, late + limits.grace + 1).result.outcome, 'reused');
      for (const other of [undefined, 'another thumbprint']) {
        const copied = rotate(user, { ...lost, jkt: other }, late, limits);
        t.same(copied, { user, result: { outcome: 'unproven' } }, 'without the proof');
      }
    }
    const { user, session } = rotated(2);
    const bound = { ...user, sessions: [{ ...session, jkt }] };
    const older = rotate(bound, present(session, { gen: 0, jkt }), late, limits);
    t.equal(older.result.outcome, 'reused', 'its successor has been used');
  },
);

t.test('a row that lost a write takes generation and token version from the token', async (t) => {
  const { user, session } = rotated(2);
  const now = NOW + DAY;
  const turn = rotate(user, present(session, { gen: 5, ver: 3 }), now, limits);
  t.equal(turn.result.outcome, 'caught_up');
  t.match(turn.user, { token_version: 3, access_version: 3, revoked_at: now, updated_at: now });
  t.match(turn.user.sessions, [{ gen: 6, rotated_at: now, rotations: [now, now, now] }]);
  const outcome = (gen: number, at: number, ver = 3) =>
    rotate(turn.user, present(session, { gen, ver }), at, limits).result.outcome;
  for (const gen of [2, 3, 4, 5])
    t.equal(
      outcome(gen, now + limits.grace),
      'repeated',
      'requests with the lost generations may be on their way',
    );
  t.equal(outcome(1, now), 'reused', 'this generation was not lost');
  t.equal(outcome(4, now + limits.grace + 1), 'reused');
  t.equal(outcome(6, now, 2), 'invalid', 'what the lost write revoked stays revoked');
});

t.test('a version above the row is accepted with every generation that is accepted', async (t) => {
  const { user, session } = rotated(2);
  const before = { ...user, access_version: 7 };
  const turn = rotate(before, present(session, { gen: 1, ver: 1 }), NOW, limits);
  t.match(turn, {
    result: { outcome: 'repeated', session },
    user: { token_version: 1, access_version: 7 },
  });
  const current = rotate(before, present(session, { ver: 1 }), NOW, limits);
  t.equal(current.result.outcome, 'caught_up');
  t.match(current.user.sessions, [{ gen: 3 }]);
});

t.test('reuse ends one session, and not the others', async (t) => {
  const { user, session } = rotated(2);
  const other = begin(user, NOW);
  const now = NOW + limits.grace + 1;
  const turn = rotate(other.user, present(session, { gen: 0 }), now, limits);
  t.equal(turn.result.outcome, 'reused');
  t.ok(liveSession(turn.user, other.session.id, now));
  t.notOk(liveSession(turn.user, session.id, now));
});

const invalid: [string, Partial<User>, Partial<Presented>][] = [
  ['an unknown session', {}, { sid: 'another' }],
  ['an old token version', { token_version: 1 }, {}],
  ['a disabled user', { status: 'disabled' }, {}],
  ['a deleted user', { status: 'deleted' }, {}],
  ['a token sent by another transport than its own', {}, { transport: 'cookie' }],
];
for (const [what, state, shown] of invalid) {
  t.test(`${what}: invalid, for every generation, and nothing is written`, async (t) => {
    const made = rotated(2);
    const user = { ...made.user, ...state };
    for (const gen of [0, 1, 2]) {
      const turn = rotate(user, present(made.session, { gen, ...shown }), NOW, limits);
      t.same(turn.result, { outcome: 'invalid' });
      t.equal(turn.user, user);
    }
  });
}

t.test(
  'MFA-02 a session from before the second factor was enabled cannot be refreshed',
  async (t) => {
    const totp = { secret: 'sealed', last_step: 0 };
    const made = rotated(2);
    const refresh = (amr: string[], mfa: User['mfa'], gen: number) => {
      const user = { ...made.user, mfa, sessions: [{ ...made.session, amr }] };
      return rotate(user, present(made.session, { gen }), NOW, limits).result.outcome;
    };
    for (const gen of [0, 1, 2])
      t.equal(refresh(['pwd', 'otp'], { totp, challenges: [] }, gen), 'invalid');
    t.equal(refresh(['pwd', 'mfa'], { totp, challenges: [] }, 2), 'rotated');
    for (const key of ['hwk', 'swk'])
      t.equal(refresh([key, 'user'], { totp, challenges: [] }, 2), 'rotated', 'a passkey');
    t.equal(refresh(['hwk'], { totp, challenges: [] }, 2), 'invalid', 'its user was not checked');
    t.equal(
      refresh(['pwd'], { pending: totp, challenges: [] }, 2),
      'rotated',
      'the second factor is only pending',
    );
  },
);

t.test('a second factor does not make an unknown session valid', async (t) => {
  const { user, session } = rotated(1);
  const mfa = { totp: { secret: 'sealed', last_step: 0 }, challenges: [] };
  const turn = rotate({ ...user, mfa }, present(session, { sid: 'another' }), NOW, limits);
  t.same(turn.result, { outcome: 'invalid' });
});

t.test('an old token of a session that has ended is invalid, and not a reuse', async (t) => {
  const { user, session } = rotated(2);
  const ended = withSessionEnded(user, session.id, NOW);
  const turn = rotate(ended, present(session, { gen: 0 }), NOW + 1, limits);
  t.same(turn, { user: ended, result: { outcome: 'invalid' } });
});

t.test('clients refresh well before the access token expires, and not all at once', async (t) => {
  const times = Array.from({ length: 500 }, (_, index) => refreshAfter(index / 500));
  t.ok(times.every((seconds) => Number.isInteger(seconds) && seconds >= 600 && seconds < 720));
  t.ok(new Set(times).size > 50);
});
