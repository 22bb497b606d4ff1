import {
  hashRecoveryCode,
  withRecoveryHashSpent,
} from '../../../parts/second-factor/recovery-codes.ts';
import type { Factor } from '../factor.ts';

/** One of the codes that stand in for a lost authenticator app. */
export const recoveryCode: Factor<'recovery_code'> = {
  amr: () => [],
  guessed: 'recovery',
  notice: 'mfa.recovery_code_used',
  isReady: ({ mfa }) => mfa.totp !== undefined && (mfa.recovery?.hashes.length ?? 0) > 0,
  prepare: async ({ passwords }, { user: owner, given, turn }) => {
    const hash = await hashRecoveryCode(passwords, owner, given, turn);
    return (user) => {
      if (user.mfa.totp === undefined) return undefined;
      const recovery = withRecoveryHashSpent(user.mfa.recovery, hash);
      return recovery && { ...user, mfa: { ...user.mfa, recovery } };
    };
  },
};
