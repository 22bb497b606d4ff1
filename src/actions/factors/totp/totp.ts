import { withCodeSpent } from '../../../parts/second-factor/totp.ts';
import { AMR } from '../../../schemas/methods.ts';
import type { Factor } from '../factor.ts';

/** A code of the authenticator app (RFC 6238). */
export const totp: Factor<'totp'> = {
  amr: () => AMR.totp,
  guessed: 'totp',
  isReady: ({ mfa }) => mfa.totp !== undefined,
  prepare: async ({ keys }, { given }) => {
    return (user, now) => {
      const { totp: stored } = user.mfa;
      if (stored === undefined) return undefined;
      const spent = withCodeSpent(keys, { totp: stored, code: given, userId: user.id, now });
      return spent && { ...user, mfa: { ...user.mfa, totp: spent } };
    };
  },
};
