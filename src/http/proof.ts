import type { Proof } from '../parts/second-factor/second-factor.ts';

/** The proof in a validated body, which contains exactly one of the two members. */
export const proofOf = ({
  code,
  recovery_code,
}: {
  code?: string | undefined;
  recovery_code?: string | undefined;
}): Proof => (code === undefined ? { recoveryCode: recovery_code as string } : { code });
