import t from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { EmailTaken, Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { deaf, opened, postgres, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const person = (email: string) =>
  newPerson({ id: newUserId(NOW), email, name: null, passwordHash: 'hash' }, NOW);

t.test(
  'under SERIALIZABLE, the level of CockroachDB, nodes that collide lose nothing',
  async (t) => {
    const server = await postgres(t);
    const { url } = await usersOf(t, server);
    const admin = await server.connect(url);
    t.teardown(() => admin.end());
    const name = new URL(url).pathname.slice(1);
    await admin.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    const nodes = Array.from({ length: 3 }, () => new Users(opened(t, url, { pool: 8 }), deaf));
    const [first] = nodes as [Users];
    const [ada, eve] = [person('ada@example.com'), person('eve@example.com')];
    for (const user of [ada, eve]) await first.insert(user);

    const count = (users: Users, id: string, witness?: string) =>
      users.change(
        id,
        (user) => ({
          user: { ...user, token_version: user.token_version + 1 },
          result: undefined,
        }),
        witness === undefined ? undefined : () => users.findById(witness),
      );
    await Promise.all(
      nodes.flatMap((users) => [
        ...Array.from({ length: 5 }, () => count(users, ada.id)),
        ...Array.from({ length: 5 }, () => count(users, eve.id)),
        users.list({ kind: 'person', limit: 10 }),
        users.findByEmail('ada@example.com'),
        users.insert(person(`u${nodes.indexOf(users)}@example.com`)),
      ]),
    );
    for (const { id } of [ada, eve]) t.match(await first.findById(id), { token_version: 15 });

    const rivals = await Promise.allSettled(
      nodes.map((users) => users.insert(person('one@example.com'))),
    );
    t.equal(rivals.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const rival of rivals)
      if (rival.status === 'rejected') t.ok(rival.reason instanceof EmailTaken);
  },
);
