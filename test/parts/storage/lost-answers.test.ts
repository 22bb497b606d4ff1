import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import type { Database } from '../../../src/parts/storage/database.ts';
import { EmailTaken, StorageFault, Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { deaf, KILL, opened, postgres, usersOf } from '../../databases.ts';
import { proxy } from '../../proxy.ts';
import { NOW } from '../../rules/samples.ts';

const person = (email = 'ada@example.com') =>
  newPerson({ id: newUserId(NOW), email, name: 'Ada', passwordHash: 'hash' }, NOW);

const server = await postgres(t);

/** The error, or undefined. */
const fault = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

/** The users of a node whose connections the test can break. */
async function breakable(t: Test) {
  const { url } = await usersOf(t, server);
  const between = await proxy(t, url);
  const users = new Users(opened(t, between.url, { pool: 2, timeout: 1_000 }), deaf);
  const admin = await server.connect(url);
  t.teardown(() => admin.end());
  const until = async (condition: string) => {
    while ((await admin.query(`select 1 where ${condition}`)).rowCount === 0);
  };
  return { between, users, admin, until };
}

t.test('an insert counts as done if only its answer was lost', async (t) => {
  const { between, users, until } = await breakable(t);
  const user = person();
  await users.tryWriting();
  between.swallow('answers');
  const added = users.insert(user);
  await until(`exists (select 1 from users where id = '${user.id}')`);
  between.swallow(false);
  between.reset();
  await added;
  t.same(await users.findById(user.id), user);
  t.ok((await fault(users.insert(person()))) instanceof EmailTaken);
});

t.test('an insert is a fault if the connection broke before it', async (t) => {
  const { users, admin, until } = await breakable(t);
  const user = person();
  await users.tryWriting();
  await admin.query('begin; lock table users in share mode');
  const added = fault(users.insert(user));
  await until('exists (select 1 from pg_locks where not granted)');
  await admin.query(KILL);
  await admin.query('rollback');
  t.ok((await added) instanceof StorageFault);
  t.equal(await users.findById(user.id), undefined);
  await users.insert(user);
});

t.test('an insert that waits too long is a fault', async (t) => {
  const { users, admin } = await breakable(t);
  const user = person();
  await admin.query('begin; lock table users in share mode');
  t.match(await fault(users.insert(user)), { cause: { code: '55P03' } });
  await admin.query('rollback');
  await users.insert(user);
});

t.test('a change whose answer was lost is written once, and the next change sees it', async (t) => {
  const { between, users, until } = await breakable(t);
  const user = person();
  await users.insert(user);
  const count = () =>
    users.change(user.id, (before) => {
      const token_version = before.token_version + 1;
      // The row has been read, so the lost answer is that of the write.
      if (token_version === 1) between.swallow('answers');
      return { user: { ...before, token_version }, result: token_version };
    });
  const changed = fault(count());
  await until('exists (select 1 from users where token_version = 1)');
  between.swallow(false);
  between.reset();
  t.ok((await changed) instanceof StorageFault, 'the outcome is unknown');
  t.match(await users.findById(user.id), { token_version: 1, row_version: 1 });
  t.equal(await count(), 2);
  t.match(await users.findById(user.id), { token_version: 2, row_version: 2 });
});

/** Lets the next statements on the table fail with 40001, this many times. */
async function unlucky(db: Database, times: number) {
  await sql`alter sequence tries restart`.execute(db);
  await sql
    .raw(`
    create or replace function lucky() returns boolean language plpgsql volatile as $$ begin
      if nextval('tries') <= ${times} then raise exception 'not now' using errcode = '40001'; end if;
      return true;
    end $$`)
    .execute(db);
}

t.test('a query refused with 40001 is repeated, a limited number of times', async (t) => {
  const { users, db } = await usersOf(t, server);
  const user = person();
  await users.insert(user);
  await sql`create sequence tries`.execute(db);
  await unlucky(db, 0);
  await sql`alter table users rename to people`.execute(db);
  await sql`create view users as select people.* from people where (select lucky())`.execute(db);
  await sql`create function luck() returns trigger language plpgsql as 'begin perform lucky(); return new; end'`.execute(
    db,
  );
  await sql`create trigger luck before insert on people for each row execute function luck()`.execute(
    db,
  );
  const other = person('eve@example.com');
  const asked: Record<string, () => Promise<unknown>> = {
    find: () => users.findById(user.id),
    list: () => users.list({ kind: 'person', limit: 10 }),
    insert: () => users.insert(other),
    insertMany: () => users.insertMany([person('eve@example.org')]),
  };
  for (const [name, ask] of Object.entries(asked)) {
    await unlucky(db, 1_000);
    t.ok((await fault(ask())) instanceof StorageFault, `${name}: gives up`);
    await unlucky(db, 3);
    t.equal(await fault(ask()), undefined, `${name}: succeeds in the end`);
  }
  t.match(await users.findById(other.id), { email: 'eve@example.com' });
});
