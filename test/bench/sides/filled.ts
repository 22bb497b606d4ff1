import { openDatabase } from '../../../src/parts/storage/database.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { signedIn } from './signed-in.ts';

/** Makes the table and a few users with a session, with this server's own code. Returns their ids. */
export async function filled(url: string): Promise<string[]> {
  const database = openDatabase({ url, pool: 1 });
  await migrate(database);
  const users = signedIn(100).map(({ user }) => user);
  await new Users(database, { wrote: () => {}, unreadable: () => {} }).insertMany(users);
  await database.destroy();
  return users.map(({ id }) => id);
}
