import t from 'tap';
import { fingerprint } from '../../src/rules/fingerprint.ts';
import { type Rotation, rotate } from '../../src/rules/rotation.ts';
import { type Search, search } from './refresh-search.ts';
import { DAY, limits, SECOND } from './samples.ts';

const DEPTH = 8;

for (const client of ['tabs', 'app'] as const) {
  t.test(
    `in every order of events the owner (${client}) stays signed in, and a thief is out after the next two refreshes`,
    async (t) => {
      const { states, counterexample } = search({ client, rotate, depth: DEPTH });
      t.comment(`${client}: every step from ${states} states, to depth ${DEPTH}`);
      t.equal(counterexample, undefined);
      t.ok(states > 10_000, 'the search covers enough states');
    },
  );
}

const invalid: Rotation = { outcome: 'invalid' };

/** Rules that were used before, or that someone may try. */
const faults: ({ what: string } & Pick<Search, 'client'> & Partial<Search>)[] = [
  {
    what: 'a grace that is too short',
    client: 'tabs',
    serverLimits: { ...limits, grace: 20 * SECOND },
  },
  { what: 'a grace that is too long', client: 'tabs', serverLimits: { ...limits, grace: DAY } },
  {
    what: 'a different key treated as a theft',
    client: 'tabs',
    rotate: (user, presented, now, some) => {
      const turn = rotate(user, presented, now, some);
      const attempt = turn.result.outcome === 'repeated' && turn.result.session.attempt;
      return attempt && attempt !== fingerprint(`${presented.idempotencyKey}`)
        ? { user, result: invalid }
        : turn;
    },
  },
  {
    what: 'a first request that arrives last and is treated as a theft',
    client: 'tabs',
    rotate: (user, presented, now, some) => {
      const [session] = user.sessions;
      return session && presented.gen < session.gen - 1
        ? { user, result: invalid }
        : rotate(user, presented, now, some);
    },
  },
  {
    what: 'refusing a generation above the row',
    client: 'app',
    rotate: (user, presented, now, some) =>
      presented.gen > (user.sessions[0]?.gen ?? 0)
        ? { user, result: invalid }
        : rotate(user, presented, now, some),
  },
  {
    what: 'refusing a version above the row',
    client: 'app',
    rotate: (user, presented, now, some) =>
      presented.ver > user.token_version
        ? { user, result: invalid }
        : rotate(user, presented, now, some),
  },
  {
    what: 'accepting the generation before the last for ever',
    client: 'tabs',
    rotate: (user, presented, now, some) => {
      const [session] = user.sessions;
      return session && session.ended_at === undefined && presented.gen === session.gen - 1
        ? { user, result: { outcome: 'repeated', session } }
        : rotate(user, presented, now, some);
    },
  },
  {
    what: 'generations counted one too low',
    client: 'tabs',
    rotate: (user, presented, now, some) =>
      rotate(user, { ...presented, gen: presented.gen - 1 }, now, some),
  },
];

for (const { what, ...fault } of faults) {
  t.test(`the search finds ${what}`, async (t) => {
    const { counterexample } = search({ rotate, depth: DEPTH, ...fault });
    t.ok(counterexample);
    t.comment(counterexample?.join('; '));
  });
}
