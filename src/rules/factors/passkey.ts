import type { Factor } from './factor.ts';

/** The key cannot leave its authenticator, which has checked who uses it. */
export const HARDWARE_KEY = ['hwk', 'user'];
export const SOFTWARE_KEY = ['swk', 'user'];

export const passkey = {
  amr: [...HARDWARE_KEY, ...SOFTWARE_KEY],
  guessed: 'passkey' as const,
  signsIn: true,
  secondStep: 'answers',
  count: ({ passkeys }) => passkeys.length,
  without: (user) => ({ ...user, passkeys: [] }),
} satisfies Factor;
