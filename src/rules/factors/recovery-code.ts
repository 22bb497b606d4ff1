import type { User } from '../../schemas/user.ts';
import type { Factor } from './factor.ts';
import { totp } from './totp.ts';

export const recoveryCodesLeft = ({ mfa }: User): number => mfa.recovery?.hashes.length ?? 0;

/** Each stands in for the authenticator app once, and is worth nothing without it. */
export const recoveryCode = {
  amr: [],
  guessed: 'recovery' as const,
  signsIn: false,
  secondStep: 'answers',
  count: (user) => (totp.count(user) === 0 ? 0 : recoveryCodesLeft(user)),
  without: (user) => {
    const { recovery: _recovery, ...mfa } = user.mfa;
    return { ...user, mfa };
  },
} satisfies Factor;
