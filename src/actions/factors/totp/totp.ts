import { withCodeSpent } from '../../../parts/second-factor/totp.ts';
import type { Provable } from '../provable.ts';

/** A code of the authenticator app (RFC 6238). */
export const totp: Provable<string> = {
  prepare: async ({ keys }, { given }) => {
    return (user, now) => {
      const { totp: stored } = user.mfa;
      if (stored === undefined) return undefined;
      const spent = withCodeSpent(keys, { totp: stored, code: given, userId: user.id, now });
      return spent && { ...user, mfa: { ...user.mfa, totp: spent } };
    };
  },
};
