import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import { liveSession, withProof } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { changeCaller, proveCaller, readCaller } from '../accounts/caller.ts';
import type { Proof } from './factor.ts';
import { amrOfProof, factorOf, prepareCheck } from './factors.ts';
import { decideGuess } from './guess.ts';

interface Proven {
  user: User;
  session: Session;
}

const provenOf = (user: User, { sid }: AccessClaims, now: number): Proven => ({
  user,
  session: liveSession(user, sid, now) as Session,
});

/** The session of the caller has proven the password again. Refuses with `wrong_password` or `throttled`. */
export async function stepUpWithPassword(
  context: Context,
  caller: AccessClaims,
  given: { password: string; signal: AbortSignal },
): Promise<Proven> {
  await proveCaller(context, caller, given);
  return changeCaller(context, caller, (user, now) => {
    const next = withProof(user, caller.sid, { amr: ['pwd'], now });
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
  if (!hasSecondFactor(owner) && !factorOf(proof).isReady(owner))
    throw new Refusal('mfa_not_enabled');
  const check = await prepareCheck(context, owner, proof, { signal });
  const place = { session: caller.sid };
  const proven = await changeCaller(context, caller, (user, now) => {
    const { user: counted, spent } = decideGuess(user, { kind: proof.kind, check, place, now });
    if (spent === undefined) return { user: counted, result: undefined };
    const amr = [...amrOfProof(proof), 'mfa'];
    const next = withProof(spent, caller.sid, { amr, now });
    return { user: next, result: provenOf(next, caller, now) };
  });
  if (proven === undefined) throw new Refusal('wrong_code');
  return proven;
}
