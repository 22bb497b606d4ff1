import type { Context } from '../../context.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import type { Verdict } from '../../parts/passwords/passwords.ts';
import { UnreadableRow } from '../../parts/storage/users.ts';
import type { User } from '../../schemas/user.ts';

/**
 * Whether the password is this user's; `outdated`: it is, and its hash should be made anew. It costs one hash,
 * also where there is no user. A hash that is damaged, or that would cost too much, answers as a wrong password,
 * and is told to the operator.
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
      new UnreadableRow(user.id, 'password_hash is damaged, or costs more than may be spent here'),
    );
  return 'wrong';
}
