import t, { type Test } from 'tap';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { UnreadableRows } from '../../../src/parts/storage/unreadable-rows.ts';
import { UnreadableRow } from '../../../src/parts/storage/users.ts';
import { type Engine, opened, postgres, sqliteFile } from '../../databases.ts';
import { admin, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

/** Two users on a node. Then a newer version writes something unreadable into one of their rows. */
async function withNewerRow(t: Test, engine: Engine) {
  const url = await engine.create();
  const database = opened(t, url);
  await migrate(database);
  const node = await testApp(t, { database });
  const ada = await signedIn(node, 'ada@example.com');
  // Ids follow the clock, so the row that cannot be read is the first of the list.
  node.clock.advance(1);
  const bob = await signedIn(node, 'bob@example.com', { roles: ['reader'] });
  node.clock.advance(1);
  const sessions = JSON.stringify([{ id: ada.session_id, transport: 'carrier pigeon' }]);
  await database
    .updateTable('users')
    .set({ sessions, revoked_at: node.clock.now })
    .where('id', '=', ada.id)
    .execute();
  return { database, node, ada, bob };
}

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name} an unreadable row affects only its user`, async (t) => {
    const { database, node, ada, bob } = await withNewerRow(t, engine);
    for (const answer of [
      await node.as(ada.access_token, { url: '/v1/me' }),
      await node.refresh(ada.refresh_token),
      await node.login('ada@example.com'),
    ]) {
      refused(t, answer, 503, 'unavailable');
      t.equal(answer.headers['retry-after'], '1');
    }
    t.equal((await node.as(ada.access_token, { url: '/v1/whoami' })).statusCode, 200);
    t.equal((await node.refresh(bob.refresh_token)).statusCode, 200);

    const root = await admin(node);
    const list = await node.as(root.access_token, { url: '/v1/users?limit=1' });
    const { users, next_cursor } = list.json();
    const rest = await node.as(root.access_token, { url: `/v1/users?cursor=${next_cursor}` });
    t.same(
      [...users, ...rest.json().users].map(({ id }) => id).sort(),
      [bob.id, root.id].sort(),
      'the list skips it',
    );

    await signedIn(node, 'adam@example.com');
    const search = await node.as(root.access_token, { url: '/v1/users?email=ada&limit=1' });
    t.match(search.json(), { users: [{ email: 'adam@example.com' }], next_cursor: null });

    const roles = JSON.stringify(['admin']);
    await database.updateTable('users').set({ roles }).where('id', '=', ada.id).execute();
    const other = await signedIn(node, 'other@example.com', { roles: ['admin'] });
    t.equal((await node.context.users.findOther(root.id, 'admin'))?.id, other.id);

    const told = node.logs.filter(({ event }) => event === 'storage.row_unreadable');
    t.match(told, [{ level: 50, user: ada.id, msg: /sessions.*transport/ }], 'once');
    const metrics = await node.context.metrics.registry.metrics();
    t.match(metrics, /^latchkey_unreadable_rows 1$/m);

    const newNode = await testApp(t, { database });
    t.equal(newNode.context.revocationFeed.isFresh, true, 'a new node starts');
    await node.as(root.access_token, {
      method: 'PATCH',
      url: `/v1/users/${bob.id}`,
      payload: { roles: [] },
    });
    await newNode.context.revocationFeed.poll();
    const answer = await newNode.as(bob.access_token, { url: '/v1/whoami' });
    refused(t, answer, 401, 'token_revoked');
  });
}

t.test(
  'each unreadable row is logged once, and the number of remembered rows is limited',
  async (t) => {
    const lines: unknown[][] = [];
    const rows = new UnreadableRows({ error: (...line) => lines.push(line) });
    for (const round of [1, 2]) {
      rows.add(new UnreadableRow('one', `round ${round}`));
      rows.add(new UnreadableRow('two', `round ${round}`));
    }
    t.same(lines, [
      [{ event: 'storage.row_unreadable', user: 'one' }, 'row one: round 1'],
      [{ event: 'storage.row_unreadable', user: 'two' }, 'row two: round 1'],
    ]);
    for (let more = 0; more < 10_010; more += 1) rows.add(new UnreadableRow(`${more}`, 'x'));
    t.equal(rows.count, 10_000);
  },
);
