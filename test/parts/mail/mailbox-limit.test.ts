import t from 'tap';
import { MailboxLimit } from '../../../src/parts/mail/mailbox-limit.ts';
import { linkedPeers } from '../linked-peers.ts';

const ADA = 'ada@example.com';
const HOUR = 3_600_000;

t.test('EML-09 each address gets three letters an hour that nobody asks for', async (t) => {
  const limit = new MailboxLimit();
  const caused = [0, 1, 2, 3, 4].map((minute) => limit.allows({ key: ADA, at: minute * 60_000 }));
  t.same(caused, [true, true, true, false, false]);
  t.equal(limit.allows({ key: 'eve@example.com', at: 0 }), true);
});

t.test(
  'an hour after the first letter three more are allowed; refusals do not extend the hour',
  async (t) => {
    const limit = new MailboxLimit();
    for (let turn = 0; turn < 3; turn += 1) limit.allows({ key: ADA, at: 1_000 });
    t.equal(limit.allows({ key: ADA, at: HOUR + 999 }), false);
    const caused = [0, 1, 2, 3].map(() => limit.allows({ key: ADA, at: HOUR + 1_000 }));
    t.same(caused, [true, true, true, false]);
  },
);

t.test('the workers of a node allow three letters together, of each network', async (t) => {
  for (const network of [undefined, '192.0.2.1']) {
    const [peers, others] = linkedPeers();
    const [limit, other] = [new MailboxLimit(peers), new MailboxLimit(others)];
    const caused = [limit, other, limit, other, limit].map((worker) =>
      worker.allows({ key: ADA, network, at: 1_000 }),
    );
    t.same(caused, [true, true, true, false, false]);
    t.equal(other.allows({ key: ADA, network, at: HOUR + 1_000 }), true);
  }
});

t.test('memory stays bounded for any number of invented addresses', async (t) => {
  const limit = new MailboxLimit();
  const before = process.memoryUsage().heapUsed;
  const at = 0;
  for (let index = 0; index < 150_000; index += 1)
    limit.allows({ key: `${index}@example.com`, network: `${index}`, at });
  t.ok(process.memoryUsage().heapUsed - before < 100 * 1_048_576);
  const latest = { key: '149999@example.com', network: '149999', at };
  t.same(
    [1, 2, 3].map(() => limit.allows(latest)),
    [true, true, false],
    'the latest addresses are remembered',
  );
});
