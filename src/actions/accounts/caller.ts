import type { Context } from '../../context.ts';
import { checked } from '../../parts/guessing/guessing.ts';
import { Refusal } from '../../rules/refusal.ts';
import { liveSession } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { checkSecret } from '../clients/service-accounts.ts';
import { checkPassword } from './check-password.ts';

/** Whether the session of these claims still stands in the row. A version above the row's is ours too: the row lost a write. */
export const stands = (
  user: User,
  { sid, ver }: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): boolean =>
  user.status === 'active' &&
  ver >= user.access_version &&
  // A machine has no sessions but the tombstones of tokens that were revoked.
  (user.kind === 'service'
    ? user.sessions.every(({ id }) => id !== sid)
    : liveSession(user, sid, now) !== undefined);

/** Routes that read the row anyway ask it, not the snapshot. Refuses with `token_revoked` when the session no longer stands. */
export function assertStands(
  user: User,
  claims: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): void {
  if (!stands(user, claims, now)) throw new Refusal('token_revoked');
}

/** The caller's row as it is now. Refuses with `token_revoked` when his session no longer stands. */
export async function freshCaller({ users, clock }: Context, caller: AccessClaims): Promise<User> {
  const user = await users.findById(caller.sub);
  if (user === undefined) throw new Refusal('token_revoked');
  assertStands(user, caller, clock());
  return user;
}

/** Changes the caller's row, if his session still stands in that very row. */
export async function changeCaller<T>(
  { users, clock }: Context,
  caller: AccessClaims,
  decide: (user: User, now: number) => { user: User; result: T },
): Promise<T> {
  const changed = await users.change(caller.sub, (user) => {
    const now = clock();
    assertStands(user, caller, now);
    const { user: next, result } = decide(user, now);
    return { user: next, result: { result } };
  });
  if (changed === undefined) throw new Refusal('token_revoked');
  return changed.result;
}

/** What a caller proves itself with again: a person with the password, a service account with its secret. */
const proves = async (
  context: Context,
  user: User,
  password: string,
  signal: AbortSignal,
): Promise<boolean> =>
  user.kind === 'service'
    ? checkSecret(context, user, password)
    : (await checkPassword(context, user, password, { signal })) !== 'wrong';

/**
 * The caller's row, once it has proven the password again. Refuses with `wrong_password`, and with `throttled`
 * whoever guesses too often in this session.
 */
export async function provenCaller(
  context: Context,
  caller: AccessClaims,
  password: string,
  signal: AbortSignal,
): Promise<User> {
  const user = await freshCaller(context, caller);
  const place = { session: caller.sid };
  const guess = await context.guessing.enter({ user }, { factor: 'password', place, signal });
  const isRight = await checked(guess, proves(context, user, password, signal));
  await guess.settle(isRight ? 'right' : 'wrong');
  if (!isRight) throw new Refusal('wrong_password');
  return user;
}

/** Where the password may be left out: whether the caller has proven it. What is sent is checked, needed or not. */
export async function isProven(
  context: Context,
  caller: AccessClaims,
  password: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (password === undefined) return false;
  await provenCaller(context, caller, password, signal);
  return true;
}
