import t from 'tap';
import { issuerOf, POLICIES } from './policies.ts';
import { table } from './report.ts';
import { type Options, simulate } from './simulation.ts';
import { latchkey, latchkeyProcesses } from './two-nodes.ts';

const options: Options = { seed: 7, clients: 30, refreshes: 2_500 };

t.test('two nodes, bad networks, a failover and thieves sign no honest client out', async (t) => {
  const figures = await simulate(latchkey, options);
  t.equal(figures.falseSignOuts, 0, figures.trace.join('\n'));
  t.equal(figures.undetected, 0);
  t.ok(figures.thefts >= 10, 'there are thieves');
  t.ok(figures.detectedAfter.length >= figures.thefts - 3, 'they do not stay');
  t.comment(JSON.stringify(table([{ name: 'Latchkey', ...figures }])));
  const overHttp = await simulate(latchkeyProcesses, options);
  t.same(overHttp, figures, 'nodes in processes of their own answer the same');
});

t.test(
  'sessions with a key outlive networks that are away for longer than the grace',
  async (t) => {
    const figures = await simulate(latchkey, { ...options, isBound: true });
    t.equal(figures.falseSignOuts, 0, figures.trace.join('\n'));
    t.equal(figures.thefts, 0, 'no thief of a token gets in');
  },
);

for (const policy of POLICIES) {
  t.test(`the same clients find the faults of another policy: ${policy.name}`, async (t) => {
    const figures = await simulate((clock) => issuerOf(policy, clock), {
      ...options,
      refreshes: 10_000,
    });
    t.ok(figures.falseSignOuts > 0);
    t.ok(figures.trace.length > 0, 'with the messages before the first sign-out');
    if (policy.name.startsWith('one generation behind')) t.ok(figures.undetected > 0);
  });
}

t.test('a seed gives the same run again', async (t) => {
  const [policy] = POLICIES as [(typeof POLICIES)[number]];
  const run = () => simulate((clock) => issuerOf(policy, clock), options);
  t.same(await run(), await run());
});
