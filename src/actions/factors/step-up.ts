import type { Context } from '../../context.ts';
import { FACTORS } from '../../rules/factors/factors.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import { liveSession, withProof } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { changeCaller, proveCaller, readCaller } from '../accounts/caller.ts';
import { amrOfProof, type Proof } from './factors.ts';
import { guessAsCaller } from './guess.ts';

interface Proven {
  user: User;
  session: Session;
}

const provenOf = (user: User, { sid }: AccessClaims, now: number): Proven => ({
  user,
  session: liveSession(user, sid, now) as Session,
});

/** What a step-up buys, such as a passkey, signs in without the second factor: so the password alone buys none. */
function assertPasswordIsEnough(user: User): void {
  if (hasSecondFactor(user)) throw new Refusal('second_factor_required');
}

/**
 * The session of the caller has proven the password again. Refuses with `wrong_password` or `throttled`, or with
 * `second_factor_required` before the password is looked at.
 */
export async function stepUpWithPassword(
  context: Context,
  caller: AccessClaims,
  given: { password: string; signal: AbortSignal },
): Promise<Proven> {
  assertPasswordIsEnough(await readCaller(context, caller));
  await proveCaller(context, caller, given);
  return changeCaller(context, caller, (user, now) => {
    assertPasswordIsEnough(user);
    const next = withProof(user, caller.sid, { amr: FACTORS.password.amr, now });
    return { user: next, result: provenOf(next, caller, now) };
  });
}

/** The session of the caller has proven a factor. Refuses with `wrong_code`, `throttled` or `mfa_not_enabled`. */
export async function stepUpWithFactor(
  context: Context,
  caller: AccessClaims,
  { proof, signal }: { proof: Proof; signal: AbortSignal },
): Promise<Proven> {
  const owner = await readCaller(context, caller);
  return guessAsCaller(context, caller, { owner, proof, signal }, (spent, now) => {
    const next = withProof(spent, caller.sid, { amr: amrOfProof(proof), now });
    return { user: next, result: provenOf(next, caller, now) };
  });
}
