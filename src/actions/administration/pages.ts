import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';

/** The order of the rows, and the form of its cursors. A cursor names the last row of a page. */
interface Order {
  cursorOf(row: User): string;
  /** Refuses with `invalid_input` a text that is not a cursor. */
  positionOf(cursor: string): string;
}

export const byId: Order = { cursorOf: ({ id }) => id, positionOf: (cursor) => cursor };

/** For users whose address starts with `prefix`. */
export const byAddress = (prefix: string): Order => ({
  cursorOf: ({ email_key }) => Buffer.from(String(email_key)).toString('base64url'),
  positionOf: (cursor) => {
    const position = Buffer.from(cursor, 'base64url').toString();
    const isValid =
      Buffer.from(position).toString('base64url') === cursor &&
      position.startsWith(prefix) &&
      !/\p{Cc}/u.test(position);
    if (isValid) return position;
    throw new Refusal('invalid_input', {
      errors: [{ path: '/cursor', message: 'is not a valid cursor' }],
    });
  },
});

interface Asked {
  limit: number;
  cursor?: string | undefined;
  order?: Order;
}

/** One page. It begins after the row that the cursor names. */
export async function pageOf(
  { limit, cursor, order = byId }: Asked,
  read: (page: { after: string | undefined; limit: number }) => Promise<User[]>,
): Promise<{ rows: User[]; nextCursor: string | null }> {
  const after = cursor === undefined ? undefined : order.positionOf(cursor);
  // One row more than asked for: it shows whether there is another page.
  const found = await read({ after, limit: limit + 1 });
  const rows = found.slice(0, limit);
  return { rows, nextCursor: found.length > limit ? order.cursorOf(rows.at(-1) as User) : null };
}
