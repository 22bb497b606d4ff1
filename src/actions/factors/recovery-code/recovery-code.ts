import {
  hashRecoveryCode,
  withRecoveryHashSpent,
} from '../../../parts/second-factor/recovery-codes.ts';
import type { Provable } from '../provable.ts';

/** One of the codes that stand in for a lost authenticator app. */
export const recoveryCode: Provable<string> = {
  notice: 'mfa.recovery_code_used',
  prepare: async ({ passwords }, { user: owner, given, turn }) => {
    const hash = await hashRecoveryCode(passwords, owner, given, turn);
    return (user) => {
      if (user.mfa.totp === undefined) return undefined;
      const recovery = withRecoveryHashSpent(user.mfa.recovery, hash);
      return recovery && { ...user, mfa: { ...user.mfa, recovery } };
    };
  },
};
