import SQLite from 'better-sqlite3';
import pg from 'pg';
import { openDatabase } from '../../src/parts/storage/database.ts';
import { migrate } from '../../src/parts/storage/migrations.ts';
import { toRow } from '../../src/parts/storage/user-row.ts';
import { Users } from '../../src/parts/storage/users.ts';
import { withEverySessionEnded } from '../../src/rules/sessions.ts';
import { signedIn } from './sides/signed-in.ts';

/** Rows added in one statement. */
const STEP = 50_000;
const SERVICES = 100;
const HOUR = 3_600_000;

/** A connection of the bench's own, which need not be durable. */
interface Connection {
  run(sql: string): Promise<unknown>;
  /** SQL for a number with leading zeros. */
  padded(number: string): string;
  end(): Promise<void>;
}

async function connect(url: string): Promise<Connection> {
  if (url.startsWith('file:')) {
    const database = new SQLite(url.slice('file:'.length));
    database.pragma('synchronous = OFF');
    return {
      run: async (sql) => database.exec(sql),
      padded: (number) => `printf('%012d', ${number})`,
      end: async () => {
        // Else the next durable write would pay for it.
        database.pragma('synchronous = FULL');
        database.pragma('wal_checkpoint(truncate)');
        database.close();
      },
    };
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('set synchronous_commit = off');
  return {
    run: (sql) => client.query(sql),
    padded: (number) => `lpad((${number})::text, 12, '0')`,
    end: async () => {
      await client.query('analyze users');
      await client.end();
    },
  };
}

export const emailOf = (index: number): string => `u${String(index).padStart(12, '0')}@example.com`;
export const idOf = (index: number): string =>
  `0192f3a0-0000-7000-8000-${String(index).padStart(12, '0')}`;

/** Makes a table of `count` users, who all were revoked once, hours ago. The first are service accounts. */
export async function crowd(
  url: string,
  count: number,
  progress: (made: number) => void,
): Promise<void> {
  const database = openDatabase({ url, pool: 1 });
  await migrate(database);
  const [template] = signedIn(1).map(({ user }) => withEverySessionEnded(user, 1));
  if (template === undefined) return;
  await new Users(database, { wrote: () => {}, unreadable: () => {} }).insert(template);
  await database.destroy();
  const connection = await connect(url);
  const columns = Object.keys(toRow(template));
  const n = connection.padded('n');
  const now = Date.now();
  const values: Record<string, string> = {
    id: `'0192f3a0-0000-7000-8000-' || ${n}`,
    kind: `case when n < ${SERVICES} then 'service' else 'person' end`,
    email: `'u' || ${n} || '@example.com'`,
    email_key: `'u' || ${n} || '@example.com'`,
    revoked_at: `${now - 2 * HOUR} - n`,
  };
  for (let from = 0; from < count; from += STEP) {
    progress(from);
    const until = Math.min(count, from + STEP);
    await connection.run(
      `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n + 1 < ${until})
       insert into users (${columns.join()})
       select ${columns.map((column) => values[column] ?? column).join()}
       from numbers, (select * from users where id = '${template.id}') as template`,
    );
  }
  await connection.run(`delete from users where id = '${template.id}'`);
  await connection.end();
}

/** Lets the users from `from` to `until` be revoked at `instant` (ms), in the last milliseconds before it. */
export async function revoke(
  url: string,
  { from, until, instant }: { from: number; until: number; instant: number },
): Promise<void> {
  const connection = await connect(url);
  await connection.run(
    `update users set row_version = row_version + 1,
     revoked_at = ${instant} - cast(substr(id, 30) as integer) % 1000
     where id >= '${idOf(from)}' and id < '${idOf(until)}'`,
  );
  await connection.end();
}
