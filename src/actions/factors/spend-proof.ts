import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { changeCaller, proveCaller } from '../accounts/caller.ts';
import type { Proof } from './factor.ts';
import { prepareCheck } from './factors.ts';
import { decideGuess } from './guess.ts';

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
  const proven = await proveCaller(context, caller, { password, signal });
  if (!hasSecondFactor(proven)) throw new Refusal('mfa_not_enabled');
  const check = await prepareCheck(context, proven, proof, { signal });
  const place = { session: caller.sid };
  const isRight = await changeCaller(context, caller, (user, now) => {
    const { user: counted, spent } = decideGuess(user, { kind: proof.kind, check, place, now });
    return { user: spent ?? counted, result: spent !== undefined };
  });
  if (!isRight) throw new Refusal('wrong_code');
  const prepared = await prepare();
  return changeCaller(context, caller, (user, now) => {
    // It may have been removed in the meantime.
    if (!hasSecondFactor(user)) throw new Refusal('mfa_not_enabled');
    return { user: decide(user, prepared, now), result: { user, prepared } };
  });
}
