import type { Context } from '../../context.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import type { User } from '../../schemas/user.ts';
import type { Check, Factor, Kind, Proof } from './factor.ts';
import { passkey } from './passkey/passkey.ts';
import { recoveryCode } from './recovery-code/recovery-code.ts';
import { totp } from './totp/totp.ts';

/** Every factor, in the order in which a sign-in offers them. */
const FACTORS: { [K in Kind]: Factor<K> } = {
  passkey,
  totp,
  recovery_code: recoveryCode,
};

export const factorOf = ({ kind }: Pick<Proof, 'kind'>): Factor<Kind> =>
  FACTORS[kind] as Factor<Kind>;

/** What a right proof adds to `amr` (RFC 8176). */
export const amrOfProof = (proof: Proof): string[] => factorOf(proof).amr(proof.given as never);

/** What this user can prove now. */
export const readyFactors = (user: User): Kind[] =>
  (Object.keys(FACTORS) as Kind[]).filter((kind) => FACTORS[kind].isReady(user));

/** See `Factor.prepare`. */
export const prepareCheck = (
  context: Context,
  user: User | undefined,
  { kind, given }: Proof,
  turn: Turn,
): Promise<Check> => factorOf({ kind }).prepare(context, { user, given, turn });
