import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { changeCaller, proveCaller } from '../accounts/caller.ts';
import type { Proof } from './factors.ts';
import { guessAsCaller } from './guess.ts';

/** Required to remove the second factor or renew its recovery codes. */
export interface FullProof {
  password: string;
  proof: Proof;
  signal: AbortSignal;
}

/**
 * Spends a proof of the enabled second factor, and then changes the row. `prepare` runs in between, for slow work
 * that a wrong proof must not cost. Refuses with `wrong_password`, `wrong_code`, `throttled` or `mfa_not_enabled`.
 */
export async function spendProof<T>(
  context: Context,
  caller: AccessClaims,
  { password, proof, signal }: FullProof,
  {
    prepare,
    decide,
  }: { prepare: () => Promise<T>; decide: (user: User, prepared: T, now: number) => User },
): Promise<{ user: User; prepared: T }> {
  const owner = await proveCaller(context, caller, { password, signal });
  await guessAsCaller(context, caller, { owner, proof, signal }, (spent) => ({
    user: spent,
    result: undefined,
  }));
  const prepared = await prepare();
  return changeCaller(context, caller, (user, now) => {
    // It may have been removed in the meantime.
    if (!hasSecondFactor(user)) throw new Refusal('mfa_not_enabled');
    return { user: decide(user, prepared, now), result: { user, prepared } };
  });
}
