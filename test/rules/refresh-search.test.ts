import t from 'tap';
import { rotate } from '../../src/rules/rotation.ts';
import { search } from './refresh-search.ts';
import { present, rotated } from './rotated.ts';
import { FAULTS } from './rotation-faults.ts';
import { limits, NOW, SECOND } from './samples.ts';

/**
 * Each step more takes three times as long: `SEARCH_DEPTH=10 npm run test:file test/rules/refresh-search.test.ts`. At 11 it
 * finds the first known limit below.
 */
const DEPTH = Number(process.env['SEARCH_DEPTH'] ?? 8);

/** Without thieves and failovers, the same time leads further. */
const DEPTH_ALONE = DEPTH + 2;

for (const client of ['tabs', 'app'] as const) {
  t.test(
    `in every order of events the owner (${client}) stays signed in, and a thief is out after the next two refreshes`,
    async (t) => {
      const { states, counterexample } = search({ client, rotate, depth: DEPTH });
      t.comment(`${client}: every step from ${states} states, to depth ${DEPTH}`);
      t.equal(counterexample, undefined);
      t.ok(states > 10_000, 'the search covers enough states');
      const alone = search({ client, rotate, depth: DEPTH_ALONE, isAlone: true });
      t.comment(`without thieves and failovers: ${alone.states} states, to depth ${DEPTH_ALONE}`);
      t.equal(alone.counterexample, undefined);
    },
  );
}

for (const client of ['tabs', 'app'] as const) {
  t.test(
    `a bound session stays signed in (${client}), however late its retry and whatever a thief of its tokens sends`,
    async (t) => {
      const bound = { client, rotate, isBound: true };
      const { states, counterexample } = search({ ...bound, depth: DEPTH });
      t.comment(`${client}: every step from ${states} states, to depth ${DEPTH}`);
      t.equal(counterexample, undefined);
      t.ok(states > 10_000, 'the search covers enough states');
    },
  );
}

for (const { what, ...fault } of FAULTS) {
  t.test(`the search finds ${what}`, async (t) => {
    const { counterexample } = search({ depth: 8, ...fault });
    t.ok(counterexample);
    t.comment(counterexample?.join('; '));
  });
}

t.test(
  'an answer that is overtaken by two others signs tabs out, if they do not take turns to refresh',
  async (t) => {
    const tabs = { client: 'tabs', rotate, isAlone: true, isReordered: true } as const;
    t.equal(search({ ...tabs, depth: 10 }).counterexample, undefined);
    t.same(search({ ...tabs, depth: 11 }).counterexample, [
      'the owner sends 0',
      'the owner sends 0',
      'request 0 arrives: rotated',
      'request 0 arrives: repeated',
      'answer 1 comes',
      'the owner sends 1',
      'request 1 arrives: rotated',
      'answer 2 comes',
      'answer 1 comes',
      '30 s and 1 ms pass',
      'request 1 arrives: reused: the owner is signed out',
    ]);
  },
);

t.test(
  'tabs that do not take turns stay signed in if the one that was overtaken refreshes again',
  async (t) => {
    const tabs = { client: 'tabs', rotate, isAlone: true, isReordered: true } as const;
    const { states, counterexample } = search({ ...tabs, refreshesAgain: true, depth: 11 });
    t.comment(`every step from ${states} states, to depth 11`);
    t.equal(counterexample, undefined);
  },
);

t.test(
  'known limit: a failover that forgets a late retry signs an app out, if the retry comes twice',
  async (t) => {
    const { user, session } = rotated(1, 'a key');
    const lost = present(session, { gen: 0, idempotencyKey: 'a key' });
    const late = NOW + limits.grace + 1;
    t.equal(
      rotate(user, lost, late, limits).result.outcome,
      'repeated',
      'the retry; its write is lost',
    );
    const { user: next } = rotate(user, present(session), late + 1, limits);
    // Nothing in the token or in the row tells the second packet of the retry from a copied token.
    t.equal(rotate(next, lost, late + 2, limits).result.outcome, 'reused');
  },
);

t.test(
  'known limit: a repetition that arrives 40 s after the first request signs an app out, if it has refreshed again',
  async (t) => {
    const { user, session } = rotated(1, 'a key');
    const repetition = present(session, { gen: 0, idempotencyKey: 'a key' });
    const { user: next } = rotate(user, present(session), NOW + 10 * SECOND, limits);
    t.equal(rotate(next, repetition, NOW + limits.grace, limits).result.outcome, 'repeated');
    t.equal(rotate(next, repetition, NOW + 40 * SECOND, limits).result.outcome, 'reused');
  },
);
