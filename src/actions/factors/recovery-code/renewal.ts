import type { Context } from '../../../context.ts';
import { newRecoveryCodes } from '../../../parts/second-factor/recovery-codes.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import { tell } from '../../accounts/letters.ts';
import { type FullProof, spendProof } from '../spend-proof.ts';

/** Replaces the recovery codes: the old ones no longer work. */
export async function renewRecoveryCodes(
  context: Context,
  caller: AccessClaims,
  proof: FullProof,
): Promise<string[]> {
  const { user, prepared } = await spendProof(context, caller, proof, {
    prepare: () => newRecoveryCodes(context.passwords),
    decide: (before, { recovery }) => ({ ...before, mfa: { ...before.mfa, recovery } }),
  });
  tell(context, user, 'mfa.recovery_codes_renewed');
  return prepared.codes;
}
