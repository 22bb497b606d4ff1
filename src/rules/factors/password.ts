import type { Factor } from './factor.ts';

export const password = {
  amr: ['pwd'],
  guessed: 'password' as const,
  signsIn: true,
  secondStep: 'none',
  count: ({ password_hash }) => (password_hash === null ? 0 : 1),
  without: (user) => ({ ...user, password_hash: null }),
} satisfies Factor;
