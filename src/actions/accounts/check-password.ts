import type { Context } from '../../context.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import type { Verdict } from '../../parts/passwords/passwords.ts';
import { UnreadableRow } from '../../parts/storage/users.ts';
import type { User } from '../../schemas/user.ts';

/**
 * `outdated`: right, and its hash should be renewed. Takes one hash even if there is no user. A stored hash that is
 * damaged or would cost too much counts as wrong, and is logged for the operator.
 */
export async function checkPassword(
  { passwords, unreadableRows }: Pick<Context, 'passwords' | 'unreadableRows'>,
  user: Pick<User, 'id' | 'password_hash'> | undefined,
  password: string,
  turn: Turn,
): Promise<Exclude<Verdict, 'unusable'>> {
  const verdict = await passwords.check(user?.password_hash, password, turn);
  if (verdict !== 'unusable') return verdict;
  if (user !== undefined && user.password_hash !== null)
    unreadableRows.add(
      new UnreadableRow(user.id, 'password_hash is damaged, or would cost too much to check'),
    );
  return 'wrong';
}
