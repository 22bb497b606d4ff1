import type { Proof } from '../actions/factors/factor.ts';
import type { Assertion } from '../schemas/webauthn.ts';

/** The proof in a validated body, which contains exactly one of the members. */
export function proofOf({
  passkey,
  code,
  recovery_code,
}: {
  passkey?: Assertion | undefined;
  code?: string | undefined;
  recovery_code?: string | undefined;
}): Proof {
  if (passkey !== undefined) return { kind: 'passkey', given: passkey };
  return code === undefined
    ? { kind: 'recovery_code', given: recovery_code as string }
    : { kind: 'totp', given: code };
}
