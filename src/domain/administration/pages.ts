import type { User } from '../../schemas/user.ts';

const DEFAULT_LIMIT = 50;

/** One page by keyset: a cursor is the id of the last row of the page before. */
export async function pageOf(
  { limit = DEFAULT_LIMIT, cursor }: { limit?: number | undefined; cursor?: string | undefined },
  read: (page: { after: string | undefined; limit: number }) => Promise<User[]>,
): Promise<{ rows: User[]; nextCursor: string | null }> {
  // One more than asked for tells whether there is another page.
  const found = await read({ after: cursor, limit: limit + 1 });
  const rows = found.slice(0, limit);
  return { rows, nextCursor: found.length > limit ? (rows.at(-1) as User).id : null };
}
