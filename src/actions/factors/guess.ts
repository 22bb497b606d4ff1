import type { Context } from '../../context.ts';
import { throttled } from '../../parts/guessing/guessing.ts';
import { budgetOf, type Place } from '../../rules/budget.ts';
import { FACTORS, type ProofKind } from '../../rules/factors/factors.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import { admit, withGuessSettled } from '../../rules/throttle.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { changeCaller } from '../accounts/caller.ts';
import { type Proof, prepareCheck } from './factors.ts';
import type { Check } from './provable.ts';

/**
 * One guess at a factor, counted and checked in the same write. `user`: with the guess counted. `spent`: also with the proof
 * spent; undefined if it is wrong. Refuses with `throttled`.
 */
export function decideGuess(
  user: User,
  { kind, check, place, now }: { kind: ProofKind; check: Check; place: Place; now: number },
): { user: User; spent: User | undefined } {
  const wanted = budgetOf(FACTORS[kind].guessed, place);
  const { throttle, result } = admit(user.throttle, wanted, now);
  if (result.outcome !== 'admitted') throw throttled(result, user.id);
  const spent = check(user, now);
  const verdict = spent === undefined ? 'wrong' : 'right';
  const settled = withGuessSettled(throttle, result.budgets, { began: now, verdict, now });
  return {
    user: { ...user, throttle: settled },
    spent: spent && { ...spent, throttle: settled },
  };
}

/**
 * The signed-in owner proves a factor, and `decide` changes the row with the proof spent. Refuses with `wrong_code`,
 * `throttled` or `mfa_not_enabled`.
 */
export async function guessAsCaller<T>(
  context: Context,
  caller: AccessClaims,
  { owner, proof, signal }: { owner: User; proof: Proof; signal: AbortSignal },
  decide: (spent: User, now: number) => { user: User; result: T },
): Promise<T> {
  if (!hasSecondFactor(owner) && FACTORS[proof.kind].count(owner) === 0)
    throw new Refusal('mfa_not_enabled');
  const check = await prepareCheck(context, owner, proof, { signal });
  const place = { session: caller.sid };
  const proven = await changeCaller<{ result: T } | undefined>(context, caller, (user, now) => {
    const { user: counted, spent } = decideGuess(user, { kind: proof.kind, check, place, now });
    if (spent === undefined) return { user: counted, result: undefined };
    const { user: next, result } = decide(spent, now);
    return { user: next, result: { result } };
  });
  if (proven === undefined) throw new Refusal('wrong_code');
  return proven.result;
}
