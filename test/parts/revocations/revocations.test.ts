import t from 'tap';
import { randomId } from '../../../src/parts/ids.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import {
  REVOCATION_LIFE,
  withEverySessionEnded,
  withNewSession,
  withSessionEnded,
} from '../../../src/rules/sessions.ts';
import { ada, limits, NOW } from '../../rules/samples.ts';

const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: '' };
const { user, session } = withNewSession(ada(), signIn, NOW, limits);
const claims = { sub: user.id, sid: session.id, ver: 0 };

/** A snapshot, and a way to let time pass for it. */
function at(start: number) {
  let uptime = start;
  const pass = (milliseconds: number) => {
    uptime += milliseconds;
  };
  return { revocations: new Revocations(() => uptime), pass };
}

t.test('a user of whom nothing was revoked leaves no trace', async (t) => {
  const { revocations } = at(0);
  for (const access_version of [0, 1]) revocations.learn({ ...user, access_version });
  t.equal(revocations.includes(claims), false);
});

t.test('the tokens of an ended session are revoked, those of another are not', async (t) => {
  const { revocations } = at(0);
  const other = withNewSession(user, { ...signIn, id: randomId() }, NOW, limits);
  revocations.learn(withSessionEnded(other.user, session.id, NOW));
  t.equal(revocations.includes(claims), true);
  t.equal(revocations.includes({ ...claims, sid: other.session.id }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'another' }), false);
});

t.test('tokens of a lower version are revoked, those of the new one are not', async (t) => {
  const { revocations } = at(0);
  revocations.learn({ ...withEverySessionEnded(user, NOW), sessions: [] });
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
  t.equal(revocations.includes({ ...claims, sid: 'unknown', ver: 1 }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'unknown' }), false);
});

t.test('a row that arrives late takes nothing back', async (t) => {
  const { revocations } = at(0);
  revocations.learn(withEverySessionEnded(user, NOW + 600_000));
  revocations.learn(withSessionEnded(user, session.id, NOW));
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
});

t.test(
  'a revocation is forgotten when no token can be alive that it concerns, and no sooner',
  async (t) => {
    for (const row of [withEverySessionEnded(user, NOW), withSessionEnded(user, session.id, NOW)]) {
      const { revocations, pass } = at(5);
      revocations.learn(row);
      pass(REVOCATION_LIFE - 1);
      revocations.forget();
      t.equal(revocations.includes(claims), true);
      pass(1);
      revocations.forget();
      t.equal(revocations.includes(claims), false);
    }
    t.ok(REVOCATION_LIFE >= 905_000, 'longer than a token and the skew of two clocks');
  },
);

t.test('what a row says again is kept for as long again', async (t) => {
  const { revocations, pass } = at(0);
  revocations.learn(withEverySessionEnded(user, NOW));
  pass(REVOCATION_LIFE - 1);
  revocations.learn(withEverySessionEnded(user, NOW));
  pass(REVOCATION_LIFE - 1);
  revocations.forget();
  t.equal(revocations.includes(claims), true);
});
