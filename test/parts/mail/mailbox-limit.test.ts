import t from 'tap';
import { MailboxLimit } from '../../../src/parts/mail/mailbox-limit.ts';
import { linkedPeers } from '../linked-peers.ts';

const HOUR = 3_600_000;

t.test('EML-09 each address gets three letters an hour', async (t) => {
  const limit = new MailboxLimit();
  const asked = [0, 1, 2, 3, 4].map((minute) => limit.allows('ada@example.com', minute * 60_000));
  t.same(asked, [true, true, true, false, false]);
  t.equal(limit.allows('eve@example.com', 0), true);
});

t.test(
  'an hour after the first letter three more are allowed; refusals do not extend the hour',
  async (t) => {
    const limit = new MailboxLimit();
    for (let turn = 0; turn < 3; turn += 1) limit.allows('ada@example.com', 1_000);
    t.equal(limit.allows('ada@example.com', HOUR + 999), false);
    const asked = [0, 1, 2, 3].map(() => limit.allows('ada@example.com', HOUR + 1_000));
    t.same(asked, [true, true, true, false]);
  },
);

t.test('the workers of a node allow three letters together', async (t) => {
  const [peers, others] = linkedPeers();
  const [limit, other] = [new MailboxLimit(peers), new MailboxLimit(others)];
  const asked = [limit, other, limit, other, limit].map((worker) =>
    worker.allows('ada@example.com', 1_000),
  );
  t.same(asked, [true, true, true, false, false]);
  t.equal(other.allows('ada@example.com', HOUR + 1_000), true);
});

t.test('memory stays bounded for any number of invented addresses', async (t) => {
  const limit = new MailboxLimit();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 200_000; index += 1) limit.allows(`${index}@example.com`, 0);
  t.ok(process.memoryUsage().heapUsed - before < 100 * 1_048_576);
  t.equal(limit.allows('199999@example.com', 0), true, 'the latest addresses are remembered');
});
