import type { Proof } from '../actions/factors/factor.ts';

/** The proof in a validated body, which contains exactly one of the two members. */
export const proofOf = ({
  code,
  recovery_code,
}: {
  code?: string | undefined;
  recovery_code?: string | undefined;
}): Proof =>
  code === undefined
    ? { kind: 'recovery_code', given: recovery_code as string }
    : { kind: 'totp', given: code };
