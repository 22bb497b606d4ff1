import type { Context } from '../../../context.ts';
import { FACTORS } from '../../../rules/factors/factors.ts';
import { withOtherSessionsEnded } from '../../../rules/sessions.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import { tell } from '../../accounts/letters.ts';
import { type FullProof, spendProof } from '../spend-proof.ts';

/** From then on, signing in takes no second step. Every other session ends. */
export async function removeSecondFactor(
  context: Context,
  caller: AccessClaims,
  proof: FullProof,
): Promise<void> {
  const { user } = await spendProof(context, caller, proof, {
    prepare: async () => {},
    decide: (before, _prepared, now) =>
      withOtherSessionsEnded(FACTORS.totp.without(before), caller.sid, now),
  });
  tell(context, user, 'mfa.disabled');
}
