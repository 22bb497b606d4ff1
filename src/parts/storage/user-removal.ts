import { sql } from 'kysely';
import { eraseOldVersions } from './database.ts';
import type { UserQueries } from './user-queries.ts';

/** Rows in one statement. */
const BATCH = 500;

/** `Users.removeDeleted`. */
export async function removeDeletedUsers(queries: UserQueries, instant: number): Promise<void> {
  await queries.run('removeDeleted', async (db) => {
    const batch = db
      .selectFrom('users')
      .select('id')
      // A literal: a partial index does not match a parameter.
      .where('status', '=', sql.lit('deleted'))
      .where('revoked_at', '<', instant)
      .orderBy('revoked_at')
      .limit(BATCH);
    let removed: bigint;
    do {
      const answer = await db.deleteFrom('users').where('id', 'in', batch).executeTakeFirst();
      removed = answer.numDeletedRows;
    } while (removed === BigInt(BATCH));
  });
  await eraseOldVersions(queries.db);
}
