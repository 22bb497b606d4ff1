import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { RevocationDocument } from '../../../src/parts/revocations/revocation-document.ts';
import { RevocationFeed } from '../../../src/parts/revocations/revocation-feed.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import type { Users } from '../../../src/parts/storage/users.ts';
import { withEverySessionEnded } from '../../../src/rules/sessions.ts';
import { sqliteInMemory, usersOf } from '../../databases.ts';
import { ada, SECOND } from '../../rules/samples.ts';
import { TestClock } from '../../test-app.ts';
import { ringOf } from '../rings.ts';

interface Document {
  cursor: string;
  since?: string;
  users: Record<string, number>;
}

/** A node of the service, as far as revocations go. */
async function node(users: Users, clock: TestClock) {
  const times = { clock: () => clock.now, uptime: () => clock.uptime };
  const revocations = new Revocations(times.uptime);
  const { log } = revocations;
  const feed = new RevocationFeed({ users, revocations, ...times });
  const keys = await ringOf();
  const document = new RevocationDocument({ log, feed, keys, ...times });
  await feed.poll();
  const read = async (since?: string): Promise<Document> =>
    decodeJwt<Document>((await document.sign(since)).toString());
  return { feed, document, read };
}

async function twoNodes(t: Test) {
  const clock = new TestClock();
  const { users } = await usersOf(t, sqliteInMemory);
  const [one, other] = await Promise.all([node(users, clock), node(users, clock)]);
  const revoke = async (): Promise<string> => {
    const user = withEverySessionEnded(ada({ email_key: null }), clock.now);
    await users.insert(user);
    return user.id;
  };
  return { clock, one, other, revoke };
}

t.test('a reader loses nothing when the node it comes from had not polled for long', async (t) => {
  const { clock, one, other, revoke } = await twoNodes(t);
  clock.advance(10.5 * SECOND);
  const id = await revoke();
  clock.advance(39.5 * SECOND);
  clock.uptime += 0.25;
  await other.feed.poll();
  const { cursor, users } = await one.read();
  t.same(users, {}, 'this node does not know it yet');
  const part = await other.read(cursor);
  t.equal(part.since, cursor);
  t.same(Object.keys(part.users), [id]);
});

t.test(
  'a reader who stays gets each revocation once, also after a pause of the polls',
  async (t) => {
    const { clock, one, revoke } = await twoNodes(t);
    const first = await revoke();
    await one.feed.poll();
    clock.advance(50 * SECOND);
    const { cursor, users } = await one.read();
    t.same(Object.keys(users), [first]);
    const second = await revoke();
    await one.feed.poll();
    t.same(Object.keys((await one.read(cursor)).users), [second]);
  },
);

t.test('all cursors that cannot be followed get one document, signed once', async (t) => {
  const { one, revoke } = await twoNodes(t);
  const { document } = one;
  const whole = document.sign(undefined);
  for (const cursor of ['', 'x', 'y', `${'x'.repeat(22)}.0.1`])
    t.equal(document.sign(cursor), whole);
  const { cursor } = await one.read();
  t.not(document.sign(cursor), whole);
  t.equal(document.sign(cursor), document.sign(cursor));
  await revoke();
  await one.feed.poll();
  t.not(document.sign('x'), whole, 'it says more now');
});
