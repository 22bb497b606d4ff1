/** As `raw-sqlite.ts`, over one connection to PostgreSQL. */
import pg from 'pg';
import { filled } from './filled.ts';

const url = process.env['DATABASE_URL'] as string;
const ids = await filled(url);
const client = new pg.Client({ connectionString: url });
await client.connect();

process.on('message', async (milliseconds: number) => {
  const from = performance.now();
  let commits = 0;
  while (performance.now() - from < milliseconds) {
    const id = ids[commits % ids.length];
    const { rows } = await client.query({
      name: 'read',
      text: 'select * from users where id = $1',
      values: [id],
    });
    const [row] = rows;
    await client.query({
      name: 'write',
      text: 'update users set sessions = $1, updated_at = $2, row_version = row_version + 1 where id = $3 and row_version = $4',
      values: [row.sessions, Date.now(), row.id, row.row_version],
    });
    commits += 1;
  }
  process.send?.((commits * 1_000) / (performance.now() - from));
});
process.send?.('ready');
