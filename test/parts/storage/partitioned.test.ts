import t from 'tap';
import { postgres } from '../../databases.ts';

// What src/decisions/0008-a-table-partitioned-by-user.md says.

t.test('a table that is partitioned by ID cannot keep addresses unique by an index', async (t) => {
  const server = await postgres(t);
  const client = await server.connect(await server.create());
  t.teardown(() => client.end());
  const refused = (query: string, code: string) => t.rejects(client.query(query), { code }, query);
  const columns = 'id varchar(36) primary key, email_key text, owner varchar(36)';
  await refused(
    `create table one (${columns}, unique (email_key)) partition by hash (id)`,
    '0A000',
  );
  await refused(
    `create table one (id varchar(36) primary key, identity_1 text unique) partition by hash (id)`,
    '0A000',
  );
  await client.query(`create table users (${columns}) partition by hash (id)`);
  for (let n = 0; n < 4; n += 1)
    await client.query(
      `create table users_${n} partition of users for values with (modulus 4, remainder ${n})`,
    );
  await refused('create index concurrently by_key on users (email_key)', '0A000');
  await client.query('create unique index by_key on users (email_key, id)');
  await client.query("insert into users values ('a', 'ada@example.com'), ('b', 'ada@example.com')");

  const signUp = (id: string) =>
    client.query(
      `insert into users values ('address of ada', null, '${id}'); insert into users values ('${id}')`,
    );
  await signUp('c');
  await t.rejects(signUp('d'), { code: '23505' }, 'the address row is unique');
  const { rows } = await client.query("select id from users where id in ('c', 'd')");
  t.same(rows, [{ id: 'c' }], 'and nothing of the second sign-up stays');
});
