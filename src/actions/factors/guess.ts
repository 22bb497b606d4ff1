import { throttled } from '../../parts/guessing/guessing.ts';
import { budgetOf, type Place } from '../../rules/budget.ts';
import { admit, withGuessSettled } from '../../rules/throttle.ts';
import type { User } from '../../schemas/user.ts';
import type { Check, Kind } from './factor.ts';
import { factorOf } from './factors.ts';

/**
 * One guess at a factor, counted and checked in the same write. `user`: with the guess counted. `spent`: also with the proof
 * spent; undefined if it is wrong. Refuses with `throttled`.
 */
export function decideGuess(
  user: User,
  { kind, check, place, now }: { kind: Kind; check: Check; place: Place; now: number },
): { user: User; spent: User | undefined } {
  const wanted = budgetOf(factorOf({ kind }).guessed, place);
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
