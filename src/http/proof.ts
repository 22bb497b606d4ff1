import type { Proof } from '../parts/second-factor/second-factor.ts';

/** What a checked body says of the second factor: exactly one of the two is there. */
export const proofOf = ({
  code,
  recovery_code,
}: {
  code?: string | undefined;
  recovery_code?: string | undefined;
}): Proof => (code === undefined ? { recoveryCode: recovery_code as string } : { code });
