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

/** A snapshot with its own uptime. */
function at(start: number) {
  let uptime = start;
  const pass = (milliseconds: number) => {
    uptime += milliseconds;
  };
  return { revocations: new Revocations(() => uptime), pass };
}

t.test('a user without revocations is not stored', async (t) => {
  const { revocations } = at(0);
  for (const access_version of [0, 1]) revocations.learn({ ...user, access_version });
  t.equal(revocations.includes(claims), false);
});

t.test('only the tokens of an ended session are revoked', async (t) => {
  const { revocations } = at(0);
  const other = withNewSession(user, { ...signIn, id: randomId() }, NOW, limits);
  revocations.learn(withSessionEnded(other.user, session.id, NOW));
  t.equal(revocations.includes(claims), true);
  t.equal(revocations.includes({ ...claims, sid: other.session.id }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'another' }), false);
});

t.test('only tokens of a lower version are revoked', async (t) => {
  const { revocations } = at(0);
  revocations.learn({ ...withEverySessionEnded(user, NOW), sessions: [] });
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
  t.equal(revocations.includes({ ...claims, sid: 'unknown', ver: 1 }), false);
  t.equal(revocations.includes({ ...claims, sub: 'another', sid: 'unknown' }), false);
});

t.test('an older row that arrives late undoes nothing', async (t) => {
  const { revocations } = at(0);
  revocations.learn(withEverySessionEnded(user, NOW + 600_000));
  revocations.learn(withSessionEnded(user, session.id, NOW));
  t.equal(revocations.includes({ ...claims, sid: 'unknown' }), true);
});

t.test('a revocation is kept exactly until every affected token has expired', async (t) => {
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
});

t.test('reading a row again keeps it for another full period', async (t) => {
  const { revocations, pass } = at(0);
  revocations.learn(withEverySessionEnded(user, NOW));
  pass(REVOCATION_LIFE - 1);
  revocations.learn(withEverySessionEnded(user, NOW));
  pass(REVOCATION_LIFE - 1);
  revocations.forget();
  t.equal(revocations.includes(claims), true);
});
