import type { Factor } from './factor.ts';
import { mailCode } from './mail-code.ts';
import { passkey } from './passkey.ts';
import { password } from './password.ts';
import { provider } from './provider.ts';
import { recoveryCode } from './recovery-code.ts';
import { totp } from './totp.ts';

/** Every factor by its kind. How those that answer a second step are proven: `actions/factors/factors.ts`. */
export const FACTORS = {
  password,
  totp,
  recovery_code: recoveryCode,
  passkey,
  mail_code: mailCode,
  provider,
} satisfies Record<string, Factor>;

export type FactorKind = keyof typeof FACTORS;

/** The kinds that can be proven after the first step of a sign-in. */
export type ProofKind = {
  [K in FactorKind]: (typeof FACTORS)[K] extends { secondStep: 'none' } ? never : K;
}[FactorKind];

export const EVERY_FACTOR: Factor[] = Object.values(FACTORS);
