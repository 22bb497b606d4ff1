import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import t from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import type { Database } from '../../../src/parts/storage/database.ts';
import { PROBE } from '../../../src/parts/storage/decoy-rows.ts';
import { migrate, migrations } from '../../../src/parts/storage/migrations.ts';
import { NewerSchema } from '../../../src/parts/storage/unknown-migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { emptyUser, newPerson } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { nodeCommand } from '../../child.ts';
import { deaf, opened, postgres, sqliteFile, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const run = promisify(execFile);

/** What a node does first, in a process of its own. */
const program = (url: string) => `
  import { openDatabase } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/database.ts'))};
  import { migrate } from ${JSON.stringify(import.meta.resolve('../../../src/parts/storage/migrations.ts'))};
  const db = openDatabase({ url: ${JSON.stringify(url)}, pool: 2 });
  await migrate(db);
  await db.selectFrom('users').selectAll().execute();
  await db.destroy();
`;

/** As if a newer version had applied this migration. */
const migrated = (db: Database, name: string) =>
  sql`insert into kysely_migration values (${name}, '2030-01-01T00:00:00.000Z')`.execute(db);

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name} several nodes that start at once migrate a new database`, async (t) => {
    const url = await engine.create();
    const nodes = Array.from({ length: 4 }, () =>
      run(...nodeCommand(['--input-type=module', '--eval', program(url)])),
    );
    for (const { stderr } of await Promise.all(nodes)) t.equal(stderr, '');
    const db = opened(t, url);
    const { rows } = await sql<{
      name: string;
    }>`select name from kysely_migration order by name`.execute(db);
    t.same(
      rows.map(({ name }) => name),
      [
        '001_users',
        '002_indexes',
        '003_access_version',
        '004_reset_letters',
        '005_secret_hashes',
        '006_claimed_at_additive',
        '007_passkeys_additive',
        '008_claims_additive',
        '009_identities_additive',
        '010_mail_codes_additive',
      ],
      'each migration was applied once',
    );
  });

  t.test(`on ${engine.name} a database that is up to date keeps its users`, async (t) => {
    const db = opened(t, await engine.create());
    await migrate(db);
    const users = new Users(db, deaf);
    const user = newPerson(
      { id: newUserId(NOW), email: 'ada@example.com', name: null, passwordHash: 'hash' },
      NOW,
    );
    await users.insert(user);
    await migrate(db);
    t.same(await users.findById(user.id), user);
  });

  t.test(
    `on ${engine.name} service accounts made before 005_secret_hashes keep their secrets`,
    async (t) => {
      const db = opened(t, await engine.create());
      await migrate(db);
      const users = new Users(db, deaf);
      const make = async (kind: User['kind'], password_hash: string | null) => {
        const id = newUserId(NOW);
        await users.insert(emptyUser(id, kind, NOW));
        await db.updateTable('users').set({ password_hash }).where('id', '=', id).execute();
        return id;
      };
      const hashes = ['new_hash', 'old-hash'];
      const account = await make('service', hashes.join(' '));
      const damaged = await make('service', '"} \\');
      const withoutSecret = await make('service', null);
      const person = await make('person', 'hash with blanks');
      for (const column of ['secret_hashes', 'passkeys', 'mail_codes', 'claims'])
        await sql`alter table users drop column ${sql.ref(column)}`.execute(db);
      await sql`delete from kysely_migration where name >= '005'`.execute(db);

      await migrate(db);
      const columns = await db
        .selectFrom('users')
        .select(['id', 'password_hash', 'secret_hashes'])
        .where('id', '!=', PROBE)
        .execute();
      t.same(
        new Map(columns.map(({ id, ...row }) => [id, row])),
        new Map([
          [account, { password_hash: 'new_hash old-hash', secret_hashes: JSON.stringify(hashes) }],
          [damaged, { password_hash: '"} \\', secret_hashes: '["\\"}","\\\\"]' }],
          [withoutSecret, { password_hash: null, secret_hashes: null }],
          [person, { password_hash: 'hash with blanks', secret_hashes: null }],
        ]),
      );
      t.match(await users.findById(account), { password_hash: null, secret_hashes: hashes });
      t.match(await users.findById(person), { passkeys: [], claims: {} });
    },
  );

  t.test(
    `on ${engine.name} a schema that cannot be made stops the start, and leaves no half of it`,
    async (t) => {
      const db = opened(t, await engine.create());
      await sql`create table users (id integer)`.execute(db);
      await t.rejects(migrate(db), { message: /users/ });
      const { rows } = await sql`select * from kysely_migration`.execute(db);
      t.same(rows, []);
    },
  );

  t.test(
    `on ${engine.name} an additive migration of a newer version changes nothing here`,
    async (t) => {
      const { db, users } = await usersOf(t, engine);
      await sql`alter table users add column newer text`.execute(db);
      await migrated(db, '099_newer_additive');
      await migrate(db);
      const user = emptyUser(newUserId(NOW), 'person', NOW);
      await users.insert(user);
      await sql`update users set newer = 'theirs'`.execute(db);
      await users.change(user.id, (before) => ({
        user: { ...before, name: 'Ada', roles: ['a'], sessions: [...before.sessions] },
        result: undefined,
      }));
      t.match(await users.findById(user.id), { name: 'Ada', roles: ['a'] });
      const { rows } = await sql`select newer from users where id = ${user.id}`.execute(db);
      t.same(
        rows,
        [{ newer: 'theirs' }],
        'a column that this version does not know stays as it is',
      );
    },
  );

  t.test(
    `on ${engine.name} a migration of this version may come after one of a newer version`,
    async (t) => {
      const db = opened(t, await engine.create());
      await migrate(db);
      await sql`alter table users drop column secret_hashes`.execute(db);
      await sql`delete from kysely_migration where name = '005_secret_hashes'`.execute(db);
      await migrated(db, '099_newer_additive');
      await migrate(db);
      await db.selectFrom('users').select('secret_hashes').execute();
      const { rows } = await sql`select name from kysely_migration`.execute(db);
      t.equal(rows.length, Object.keys(migrations).length + 1);
    },
  );

  t.test(
    `on ${engine.name} any other migration of a newer version stops the start at once`,
    async (t) => {
      const db = opened(t, await engine.create());
      await migrate(db);
      await migrated(db, '098_newer_additive');
      await migrated(db, '099_newer');
      await t.rejects(migrate(db), new NewerSchema(['099_newer']));
    },
  );

  t.test(`on ${engine.name} addresses and revocations are looked up by an index`, async (t) => {
    const db = opened(t, await engine.create());
    await migrate(db);
    const { rows } =
      engine.name === 'SQLite'
        ? await sql<{
            sql: string;
          }>`select sql from sqlite_master where tbl_name = 'users'`.execute(db)
        : await sql<{
            sql: string;
          }>`select indexdef as sql from pg_indexes where tablename = 'users'`.execute(db);
    const text = rows.map((row) => row.sql).join('\n');
    t.match(text, /index "?users_revoked_at_id"? on .*revoked_at.*id/i);
    t.match(text, /"email_key" text unique|unique index .*email_key/i);
  });
}

t.test('on PostgreSQL a user who may only read cannot migrate', async (t) => {
  const server = await postgres(t);
  const url = await server.create();
  await migrate(opened(t, url));
  const owner = await server.connect(url);
  await owner.query("create role reader login password 'reader'");
  await owner.query('grant select on all tables in schema public to reader');
  await owner.end();
  const reader = new URL(url);
  [reader.username, reader.password] = ['reader', 'reader'];
  await t.rejects(migrate(opened(t, reader.href)), { code: '42501' });
});

/** An error message of PostgreSQL's protocol. */
function refusal(code: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0Mno\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(4 + fields.length, 1);
  return Buffer.concat([head, fields]);
}

t.test('a database that refuses the user is asked once', async (t) => {
  const answers: [(socket: Socket) => void, object][] = [
    [(socket) => socket.end(refusal('28P01')), { code: '28P01' }],
    [(socket) => socket.end(refusal('42501')), { code: '42501' }],
  ];
  for (const [answer, error] of answers) {
    let count = 0;
    const server = createServer((socket) => {
      count += 1;
      socket.on('error', () => {}).once('data', () => answer(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const database = opened(t, `postgres://ada@127.0.0.1:${port}/x?sslmode=disable`);
    t.match(await migrate(database).catch((failure) => failure), error);
    t.equal(count, 1);
  }
});
