import type { Context } from '../../context.ts';
import { throttled } from '../../parts/guessing/guessing.ts';
import { randomId } from '../../parts/ids.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import {
  type Proof,
  recoveryHash,
  withCodeSpent,
  withRecoveryHashSpent,
} from '../../parts/second-factor/second-factor.ts';
import { budgetOf, type Place } from '../../rules/budget.ts';
import { Refusal } from '../../rules/refusal.ts';
import { type SignIn, withNewSession } from '../../rules/sessions.ts';
import { admit, withGuessSettled } from '../../rules/throttle.ts';
import type { Mfa, Session, User } from '../../schemas/user.ts';
import { tell } from '../accounts/letters.ts';
import type { HalfSignedIn, Source } from '../sessions/sign-in.ts';
import { passwordState } from '../tokens/mailed-tokens.ts';
import type { Holder } from '../tokens/token-pair.ts';

/** Seconds. */
export const CHALLENGE_LIFE = 300;

const TRIES = 5;
const MAX_CHALLENGES = 20;

/** What somebody gets for the right password of an account with a second factor: it signs in only together with that. */
export function issueChallenge(
  { ownTokens, clock }: Context,
  { user, device, transport }: HalfSignedIn & { transport: Session['transport'] },
): string {
  const iat = Math.floor(clock() / 1_000);
  return ownTokens.issue('mfa', {
    sub: user.id,
    ver: user.token_version,
    was: passwordState(user),
    ...(device !== undefined && { dev: device }),
    transport,
    jti: randomId(),
    iat,
    exp: iat + CHALLENGE_LIFE,
  });
}

/** The second factor with this proof used up, or undefined: it is wrong. `hash`: of the recovery code. */
function withProofSpent(
  { keys, clock }: Pick<Context, 'keys' | 'clock'>,
  user: User,
  proof: Proof,
  hash: string | undefined,
): Mfa | undefined {
  const { totp, recovery } = user.mfa;
  if (totp === undefined) return undefined;
  if ('code' in proof) {
    const accepted = withCodeSpent(keys, user, totp, proof.code, clock());
    return accepted && { ...user.mfa, totp: accepted };
  }
  const left = withRecoveryHashSpent(recovery, hash as string);
  return left && { ...user.mfa, recovery: left };
}

/**
 * One guess at the second factor, decided and counted in the same write. `spent`: undefined when it is wrong.
 * Refuses with `throttled`.
 */
export function guessProof(
  context: Pick<Context, 'keys' | 'clock'>,
  user: User,
  { proof, hash, place }: { proof: Proof; hash: string | undefined; place: Place },
): { spent: Mfa | undefined; counted: User } {
  const now = context.clock();
  const wanted = budgetOf('code' in proof ? 'totp' : 'recovery', place);
  const { throttle, result } = admit(user.throttle, wanted, now);
  if (result.outcome !== 'admitted') throw throttled(result, user.id);
  const { budgets } = result;
  const spent = withProofSpent(context, user, proof, hash);
  const verdict = spent === undefined ? 'wrong' : 'right';
  return {
    spent,
    counted: {
      ...user,
      throttle: withGuessSettled(throttle, budgets, { began: now, verdict, now }),
    },
  };
}

/** The hash of a proof that has one, made before the row is decided on: it is slow. */
export const hashOfProof = async (
  { passwords }: Context,
  user: User | undefined,
  proof: Proof,
  turn: Turn,
) =>
  'recoveryCode' in proof ? recoveryHash(passwords, user, proof.recoveryCode, turn) : undefined;

/** The challenges with one more try of this one, or undefined: it has had its tries, or was used. */
function withOneMoreTry(
  mfa: Mfa,
  id: string,
  until: number,
  now: number,
): Mfa['challenges'] | undefined {
  const others = mfa.challenges.filter((challenge) => challenge.id !== id && now < challenge.until);
  const tries = mfa.challenges.find((challenge) => challenge.id === id)?.tries ?? 0;
  if (tries >= TRIES) return undefined;
  return [{ id, tries: tries + 1, until }, ...others].slice(0, MAX_CHALLENGES);
}

/** Marks the newest challenge as used. */
const withNewestUsed = (challenges: Mfa['challenges']): Mfa['challenges'] =>
  challenges.map((challenge, index) => (index === 0 ? { ...challenge, tries: TRIES } : challenge));

/** The second step of a sign-in. Refuses with `challenge_invalid` or `invalid_code`; each challenge has five tries and signs in once. */
export async function answerChallenge(
  context: Context,
  { token, proof, client, source }: { token: string; proof: Proof; client: string; source: Source },
): Promise<Holder> {
  const { ownTokens, users, clock, sessionLimits } = context;
  const claims = ownTokens.read('mfa', token);
  if (claims === undefined) throw new Refusal('challenge_invalid');
  const turn = { signal: source.signal, stranger: claims.dev === undefined };
  const hash = await hashOfProof(context, await users.findById(claims.sub), proof, turn);
  const place = claims.dev === undefined ? { prefix: source.prefix } : { device: claims.dev };

  const answered = await users.change<Holder | 'wrong'>(claims.sub, (user) => {
    const now = clock();
    const stands =
      user.status === 'active' &&
      user.token_version === claims.ver &&
      user.mfa.totp !== undefined &&
      passwordState(user) === claims.was;
    const challenges = stands
      ? withOneMoreTry(user.mfa, claims.jti, claims.exp * 1_000, now)
      : undefined;
    if (challenges === undefined) throw new Refusal('challenge_invalid');
    const { spent, counted } = guessProof(context, user, { proof, hash, place });
    if (spent === undefined) {
      return { user: { ...counted, mfa: { ...user.mfa, challenges } }, result: 'wrong' };
    }
    const proven = {
      ...counted,
      mfa: { ...spent, challenges: withNewestUsed(challenges) },
      last_login_at: now,
    };
    const amr = 'code' in proof ? ['pwd', 'otp', 'mfa'] : ['pwd', 'mfa'];
    const signIn: SignIn = { id: randomId(), amr, transport: claims.transport, client };
    const started = withNewSession(proven, signIn, now, sessionLimits);
    return { user: started.user, result: { ...started, device: claims.dev ?? randomId() } };
  });
  if (answered === undefined) throw new Refusal('challenge_invalid');
  if (answered === 'wrong') throw new Refusal('invalid_code', { user: claims.sub });
  if ('recoveryCode' in proof) tell(context, answered.user, 'mfa.recovery_code_used');
  return answered;
}
