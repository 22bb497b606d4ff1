import t from 'tap';
import { REVOCATION_LIFE, Revocations } from '../../../src/domain/sessions/revocations.ts';
import { endAll, endSession, start } from '../../../src/domain/sessions/sessions.ts';
import { ada, limits, NOW } from '../samples.ts';

const signIn = { amr: ['pwd'], transport: 'body' as const, client: '' };
const { user, session } = start(ada(), signIn, NOW, limits);
const claims = { sub: user.id, sid: session.id, ver: 0 };

t.test('a user of whom nothing was revoked leaves no trace', async (t) => {
  const revocations = new Revocations();
  for (const token_version of [0, 1]) revocations.learn({ ...user, token_version });
  t.equal(revocations.includes(claims), false);
});

t.test('the tokens of an ended session are revoked, those of another are not', async (t) => {
  const revocations = new Revocations();
  const other = start(user, signIn, NOW, limits);
  revocations.learn(endSession(other.user, session.id, NOW));
  t.equal(revocations.includes(claims), true);
  t.equal(revocations.includes({ ...claims, sid: other.session.id }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'another' }), false);
});

t.test('tokens of a lower version are revoked, those of the new one are not', async (t) => {
  const revocations = new Revocations();
  revocations.learn({ ...endAll(user, NOW), sessions: [] });
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
  t.equal(revocations.includes({ ...claims, sid: 'unknown', ver: 1 }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'unknown' }), false);
});

t.test('a row that arrives late takes nothing back', async (t) => {
  const revocations = new Revocations();
  const before = endSession(user, session.id, NOW);
  revocations.learn(endAll(user, NOW + 600_000));
  revocations.learn(before);
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
  revocations.forget(NOW + REVOCATION_LIFE);
  t.equal(
    revocations.includes({ ...claims, sid: 'unknown' }),
    true,
    'not even when the late row is outlived',
  );
  revocations.forget(NOW + 600_000 + REVOCATION_LIFE);
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), false);
});

t.test(
  'a revocation is forgotten when no token can be alive that it concerns, and no sooner',
  async (t) => {
    const revocations = new Revocations();
    revocations.learn(endAll(user, NOW));
    revocations.forget(NOW + REVOCATION_LIFE - 1);
    t.equal(revocations.includes(claims), true);
    t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
    revocations.forget(NOW + REVOCATION_LIFE);
    t.equal(revocations.includes(claims), false);
    t.ok(REVOCATION_LIFE >= 905_000, 'longer than a token and the skew of two clocks');
  },
);

t.test('an ended session is remembered for as long, counted from its end', async (t) => {
  const revocations = new Revocations();
  revocations.learn(endSession(user, session.id, NOW + 5));
  revocations.forget(NOW + 5 + REVOCATION_LIFE - 1);
  t.equal(revocations.includes(claims), true);
  revocations.forget(NOW + 5 + REVOCATION_LIFE);
  t.equal(revocations.includes(claims), false);
});
