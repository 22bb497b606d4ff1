import type { Context } from '../../context.ts';
import { checked } from '../../parts/guessing/guessing.ts';
import { Refusal } from '../../rules/refusal.ts';
import { liveSession } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { checkSecret } from '../clients/service-accounts.ts';
import { checkPassword } from './check-password.ts';

/** Whether the session of these claims is still valid in this row. A `ver` above the row's is valid too: the database lost a write. */
export const stands = (
  user: User,
  { sid, ver }: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): boolean =>
  user.status === 'active' &&
  ver >= user.access_version &&
  // A service account has no sessions, only the tombstones of revoked tokens.
  (user.kind === 'service'
    ? user.sessions.every(({ id }) => id !== sid)
    : liveSession(user, sid, now) !== undefined);

/** For routes that read the row anyway, which is more exact than the snapshot. Refuses with `token_revoked`. */
export function assertStands(
  user: User,
  claims: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): void {
  if (!stands(user, claims, now)) throw new Refusal('token_revoked');
}

/** The caller's row as it is now. Refuses with `token_revoked`. */
export async function readCaller({ users, clock }: Context, caller: AccessClaims): Promise<User> {
  const user = await users.findById(caller.sub);
  if (user === undefined) throw new Refusal('token_revoked');
  assertStands(user, caller, clock());
  return user;
}

/** Changes the caller's row, if the session is still valid in the row that is written. Refuses with `token_revoked`. */
export async function changeCaller<T>(
  { users, clock }: Context,
  caller: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>,
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

/** `password`: of a service account, its secret. `signal`: aborted when the client has gone. */
export interface GivenPassword {
  password: string;
  signal: AbortSignal;
}

const checkProof = async (
  context: Context,
  user: User,
  { password, signal }: GivenPassword,
): Promise<boolean> =>
  user.kind === 'service'
    ? checkSecret(context, user, password)
    : (await checkPassword(context, user, password, { signal })) !== 'wrong';

/**
 * Checks the caller's password again, and returns the row. Refuses with `wrong_password`, or with `throttled` after
 * too many wrong ones in this session.
 */
export async function proveCaller(
  context: Context,
  caller: AccessClaims,
  given: GivenPassword,
): Promise<User> {
  const user = await readCaller(context, caller);
  const place = { session: caller.sid };
  const guess = await context.guessing.enter(
    { row: user },
    { factor: 'password', place, signal: given.signal },
  );
  const isRight = await checked(guess, checkProof(context, user, given));
  await guess.settle(isRight ? 'right' : 'wrong');
  if (!isRight) throw new Refusal('wrong_password');
  return user;
}
