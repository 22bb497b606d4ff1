import t from 'tap';
import { postgres } from '../databases.ts';
import { FAULTS } from './faults.ts';

const { create } = await postgres(t);

// The others have tests of their own. `npm run faults` causes them all, for half a minute each.
for (const name of ['PostgreSQL answers 300 ms late', 'the clock is an hour fast for 4 s']) {
  t.test(`while ${name}, nobody is signed out and no revoked token is accepted`, async (t) => {
    const seen = await FAULTS[name]?.({ scope: t, newDatabase: create, lasts: 2_000 });
    // On a busy machine an answer that is 300 ms late may be too late for a probe.
    t.match(seen, { signedOut: 0, revokedAccepted: 0, unanswered: 0 });
    t.same(seen?.unforeseen, []);
    t.ok((seen?.refreshes ?? 0) > 10);
    t.ok((seen?.checks ?? 0) > 5);
  });
}
