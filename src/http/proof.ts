import type { z } from 'zod';
import type { Proof } from '../actions/factors/factors.ts';
import type { ProofKind } from '../rules/factors/factors.ts';
import type { proofFields } from '../schemas/second-factor.ts';

type Fields = z.infer<z.ZodObject<typeof proofFields>>;

/** The member of a body that has the proof. */
const MEMBERS = {
  passkey: 'passkey',
  totp: 'code',
  recovery_code: 'recovery_code',
} satisfies Record<ProofKind, keyof Fields>;

/** The proof in a validated body, which contains exactly one of the members. */
export function proofOf(body: Fields): Proof {
  const kinds = Object.keys(MEMBERS) as ProofKind[];
  const kind = kinds.find((one) => body[MEMBERS[one]] !== undefined) as ProofKind;
  return { kind, given: body[MEMBERS[kind]] } as Proof;
}
