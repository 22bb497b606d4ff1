import type { Factor } from './factor.ts';

/** The row has none: who reads the mailbox can always sign in. So it is never the last way in, and cannot be removed. */
export const mailCode = {
  amr: ['otp'],
  guessed: 'mail_code' as const,
  signsIn: true,
  secondStep: 'none',
  count: () => 0,
  without: (user) => user,
} satisfies Factor;
