import { sql } from 'kysely';
import t from 'tap';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { opened, postgres } from '../../databases.ts';
import { proxy } from '../../proxy.ts';

const server = await postgres(t);

t.test('a URL with two hosts uses the one that can be reached', async (t) => {
  const url = await server.create();
  const [left, right] = [await proxy(t, url), await proxy(t, url)];
  const both = left.url.replace(/:(\d+)\//, `:$1,127.0.0.1:${new URL(right.url).port}/`);
  const db = opened(t, both, { pool: 1, timeout: 1_000 });
  await migrate(db);
  t.equal(right.open(), 0, 'the first that answers');

  await db.connection().execute(async () => {
    await t.rejects(sql`select 1`.execute(db), { message: /timeout exceeded/ });
  });
  t.equal(right.open(), 0, 'a pool in use is no reason to go elsewhere');

  const ask = () => sql`select 1`.execute(db);
  await left.goAway();
  // The connection may end a moment after the query that meets its end.
  await ask().catch(ask);
  t.equal(right.open(), 1);
  await left.comeBack();
  await right.goAway();
  await ask().catch(ask);
  t.equal(left.open(), 1);
  await left.goAway();
  await t.rejects(ask().catch(ask), { code: 'ECONNREFUSED' });
});

t.test('a server that takes no writes is left, and asked again', async (t) => {
  const url = await server.create();
  const admin = await server.connect(url);
  t.teardown(() => admin.end());
  const name = new URL(url).pathname.slice(1);
  await migrate(opened(t, url));
  const readOnly = (value: 'on' | 'off') =>
    admin.query(`alter database ${name} set default_transaction_read_only = ${value}`);
  await admin.query('set default_transaction_read_only = off');
  await readOnly('on');
  const reader = opened(t, `${url}?target_session_attrs=any`, { pool: 1 });
  const writer = opened(t, `${url}?target_session_attrs=read-write`, { pool: 1 });
  const write = (db: typeof reader) => db.updateTable('users').set({ name: 'x' }).execute();
  await sql`select 1`.execute(reader);
  await t.rejects(sql`select 1`.execute(writer), { code: '25006' });
  await t.rejects(write(reader), { code: '25006' });
  await readOnly('off');
  await write(writer);
  await write(reader);
});
