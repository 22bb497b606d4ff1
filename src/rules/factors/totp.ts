import type { Factor } from './factor.ts';

/** The authenticator app. */
export const totp = {
  amr: ['otp'],
  guessed: 'totp' as const,
  signsIn: false,
  secondStep: 'asks',
  count: ({ mfa }) => (mfa.totp === undefined ? 0 : 1),
  /** Without its recovery codes too. Members that this version does not know stay. */
  without: (user) => {
    const { totp: _totp, recovery: _recovery, ...mfa } = user.mfa;
    return { ...user, mfa: { ...mfa, challenges: [] } };
  },
} satisfies Factor;
