import type { Context } from '../../context.ts';
import type { NoticeName } from '../../parts/mail/messages/notice.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import { FACTORS, type ProofKind } from '../../rules/factors/factors.ts';
import { MFA } from '../../rules/second-factor.ts';
import type { User } from '../../schemas/user.ts';
import type { Assertion } from '../../schemas/webauthn.ts';
import { passkey } from './passkey/passkey.ts';
import type { Check, Provable } from './provable.ts';
import { recoveryCode } from './recovery-code/recovery-code.ts';
import { totp } from './totp/totp.ts';

/** What a caller gives to prove a factor, by kind. The names of the kinds are those of `methods` on the wire. */
interface Given {
  passkey: Assertion;
  totp: string;
  recovery_code: string;
}

/** Every factor that can be proven after the first step, in the order in which a sign-in offers them. */
const PROVABLE: { [K in ProofKind]: Provable<Given[K]> } = {
  passkey,
  totp,
  recovery_code: recoveryCode,
};

export type Proof = { [K in ProofKind]: { kind: K; given: Given[K] } }[ProofKind];

const provableOf = ({ kind }: Pick<Proof, 'kind'>) => PROVABLE[kind] as Provable<Proof['given']>;

/** What a right proof adds to `amr` (RFC 8176), after the first step. */
export const amrOfProof = (proof: Proof): string[] => [
  ...(provableOf(proof).amr?.(proof.given) ?? FACTORS[proof.kind].amr),
  MFA,
];

/** See `Provable.notice`. */
export const noticeOf = (proof: Proof): NoticeName | undefined => provableOf(proof).notice;

/** What this user can prove now. */
export const readyFactors = (user: User): ProofKind[] =>
  (Object.keys(PROVABLE) as ProofKind[]).filter((kind) => FACTORS[kind].count(user) > 0);

/** See `Provable.prepare`. */
export const prepareCheck = (
  context: Context,
  user: User | undefined,
  proof: Proof,
  turn: Turn,
): Promise<Check> => provableOf(proof).prepare(context, { user, given: proof.given, turn });
